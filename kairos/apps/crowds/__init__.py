"""Building crowds as a process."""
