"""Commands that work on rules: from a new activity to its publication."""
