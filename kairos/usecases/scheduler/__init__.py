"""Turning slots into `schedule.due`: what `kairos scheduler` does, and what it would do."""
