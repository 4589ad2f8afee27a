"""Databases: SQLite or MySQL/MariaDB, their tables as they came about, and who may do what in them."""
