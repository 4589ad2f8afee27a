"""What whoever runs Kairos asks of it: sources, channels, dead letters, the database, example data."""
