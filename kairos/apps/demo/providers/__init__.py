"""Stand-ins for the providers, on this machine: real servers that behave like them, keep books, and fail as told."""
