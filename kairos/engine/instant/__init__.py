"""One instant of one user: what it brings, and what becomes of the cases that are due."""
