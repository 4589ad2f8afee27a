"""What a process counts and measures, for Prometheus."""
