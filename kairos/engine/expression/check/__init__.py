"""What is wrong with an expression, or probably not meant, before any event comes."""
