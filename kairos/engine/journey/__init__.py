"""Journeys while they run: from an entry through waits, choices and messages to an end.

A journey has no evaluator of its own. Its entry is a match, its messages are cases like those of activities, and the
engine's instants, rounds and timers drive it; here is only where somebody stands, and what follows.
"""
