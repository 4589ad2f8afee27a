"""The form of rule files, told to others: a JSON Schema for editors, the reference, a first version to fill in."""
