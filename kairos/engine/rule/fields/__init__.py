"""The declaration of every field of a rule folder, and what reads it: loader, JSON Schema, reference."""
