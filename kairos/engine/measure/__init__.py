"""What activities brought, as pure functions over rows: definitions and statistics, no store and no clock."""
