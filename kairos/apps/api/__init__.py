"""Kairos over HTTP: the use cases, with the rights that the commands have."""
