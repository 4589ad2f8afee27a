"""What is kept of one user, and how events and time act on it: metrics, partial matches, bounds, lapses."""
