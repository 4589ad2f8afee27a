"""Business alarms: over history, and while it happens."""
