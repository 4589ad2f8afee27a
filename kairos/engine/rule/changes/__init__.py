"""From one release to the next: what differs, and what becomes of what is open."""
