"""What the rules of a release look at, and what nobody has to know: one question a file."""
