"""Expressions as SQL, for questions to the warehouse."""
