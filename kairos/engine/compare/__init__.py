"""Comparing what two sets of rules decide about the same events."""
