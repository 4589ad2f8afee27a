"""The functions of time. A time is epoch ms, ISO 8601 text, or a date's text (its midnight), read in the user's zone.

Text without an offset is local time of that zone. What is no time, or beyond the years 1 to 9999, gives None.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from kairos.engine.iso_time import parse_time

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?")
_LIMIT = 253_402_300_800_000  # the year 10000
_DAY = timedelta(days=1)
_DAY_MS = 86_400_000
_QUARTER_MS = 900_000


def hour(t: Any, zone: tzinfo) -> int | None:
    """0 to 23; None for a date, which has no hour."""
    if isinstance(t, str) and _DATE.fullmatch(t):
        return None
    local = wall_clock(t, zone)
    return None if local is None else local.hour


def weekday(t: Any, zone: tzinfo) -> int | None:
    """0 is Monday."""
    local = wall_clock(t, zone)
    return None if local is None else local.weekday()


def date(t: Any, zone: tzinfo) -> str | None:
    """`YYYY-MM-DD`: dates compare as their texts do."""
    local = wall_clock(t, zone)
    return None if local is None else local.date().isoformat()


def days_since(t: Any, now: int, zone: tzinfo) -> int | None:
    """Whole days by the zone's clock from `t` to `now` (ms), rounded down; negative for what is to come.

    By the clock, so that a day with a change to summer time is a day too.
    """
    if type(t) is int:
        there, here = _ahead(t // _QUARTER_MS, zone), _ahead(now // _QUARTER_MS, zone)
        if there is not None and here is not None:
            return (now + here - t - there) // _DAY_MS
    local, at = wall_clock(t, zone), wall_clock(now, zone)
    return None if local is None or at is None else (at - local) // _DAY


def wall_clock(t: Any, zone: tzinfo) -> datetime | None:
    """The wall clock of the zone, naive."""
    if isinstance(t, str):
        instant = parse_time(t)
        if instant is None:
            return _of_text(t)
        t = instant
    elif type(t) is not int and type(t) is not float:
        return None
    if not -_LIMIT < t < _LIMIT:
        return None
    seconds, ms = divmod(t, 1000)
    try:
        return datetime.fromtimestamp(seconds, zone).replace(tzinfo=None, microsecond=int(ms) * 1000)
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(16_384)
def _ahead(quarter: int, zone: tzinfo) -> int | None:
    """How far (ms) the zone's clock is ahead of UTC in this quarter of an hour since 1970; None: not the same all
    through it, or beyond the years that there are."""
    try:
        first = datetime.fromtimestamp(quarter * 900, UTC)
        offsets = {(first + timedelta(seconds=s)).astimezone(zone).utcoffset() for s in (0, 899)}
    except (ValueError, OverflowError, OSError):
        return None
    offset = offsets.pop()
    return None if offsets or offset is None else offset // timedelta(milliseconds=1)


def _of_text(text: str) -> datetime | None:
    if len(text) > 64 or not (_DATE.fullmatch(text) or _LOCAL.fullmatch(text)):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
