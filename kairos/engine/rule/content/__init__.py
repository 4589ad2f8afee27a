"""The texts of messages: templates parsed, inspected, and filled in."""
