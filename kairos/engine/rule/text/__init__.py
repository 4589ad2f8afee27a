"""From bytes to located YAML nodes, and from their text to values."""
