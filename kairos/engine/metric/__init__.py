"""Metrics: aggregates over a user's events that slide with event time. Their kinds are in `aggregates.py`."""
