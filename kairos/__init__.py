"""Kairos: real-time marketing automation on PyFlink."""

__version__ = "0.1.0"
