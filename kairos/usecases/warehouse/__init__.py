"""Filling the warehouse, and keeping it in order: `kairos warehouse`."""
