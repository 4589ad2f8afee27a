"""One screen a file: its paths, and the values that its template shows."""
