"""Who sends events: definitions and permissions of sources, from a folder or a database."""
