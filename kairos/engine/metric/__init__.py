"""Aggregates over a user's events that slide with event time."""
