"""Times for people."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def clock(time: int, zone: tzinfo = UTC) -> str:
    """`2026-11-02T22:15:03.250+01:00`."""
    return datetime.fromtimestamp(time / 1000, UTC).astimezone(zone).isoformat(timespec="milliseconds")
