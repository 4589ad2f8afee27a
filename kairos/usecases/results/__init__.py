"""What one can ask of what was decided, sent and done."""
