"""Activities that compete for a user: of those that may go, the best do."""
