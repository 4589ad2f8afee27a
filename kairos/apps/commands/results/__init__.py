"""Commands that tell what came of it."""
