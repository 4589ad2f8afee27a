"""Kairos: real-time marketing automation on PyFlink."""

__version__ = "0.2.0"
