"""`kairos dataset`: example data out of public packages."""
