"""One match from its gates to its last receipt."""
