"""Who sends events: the sources that are declared, their schemas, and the way of what they send into the envelope."""
