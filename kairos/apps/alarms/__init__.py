"""`kairos alarms` as a process."""
