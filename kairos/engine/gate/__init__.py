"""The gates between a match and its message: one a file, their order in `order.py`."""
