"""Who is in which crowd."""
