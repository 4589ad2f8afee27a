"""Times for people."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def clock(time: int, zone: tzinfo = UTC) -> str:
    """`2026-11-02T22:15:03.250+01:00`."""
    return datetime.fromtimestamp(time / 1000, UTC).astimezone(zone).isoformat(timespec="milliseconds")


def span(ms: int) -> str:
    """`1d`, `90m`: as in the rules."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if ms >= size and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"
