"""Catalogs: items, who follows them, and what a change of one tells its followers."""
