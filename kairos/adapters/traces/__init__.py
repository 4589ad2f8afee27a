"""Traces of OpenTelemetry: what a process did with one event or message, and how long it took. Off by default."""
