"""What demonstrations need that production does not."""
