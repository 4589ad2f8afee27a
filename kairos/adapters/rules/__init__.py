"""Rule folders and rule stores."""
