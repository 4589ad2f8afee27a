"""Kairos as processes that are watched from outside: what tests and benchmarks have in common."""
