"""The life of activities: the switch, approvals, users, and the log of what was done."""
