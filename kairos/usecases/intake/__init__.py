"""How events get in, whatever the door: sources, limits, identity, and not a word of "taken" before Kafka has it."""
