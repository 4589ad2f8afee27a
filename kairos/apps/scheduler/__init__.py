"""The process that turns the slots of schedules into events."""
