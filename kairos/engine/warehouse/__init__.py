"""What the warehouse holds, and what may be asked of it in SQL."""
