"""Alarms from outside and to the outside: where facts come from, and who is told."""
