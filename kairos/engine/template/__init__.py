"""Liquid: the environment of all templates, and what of a message has no value."""
