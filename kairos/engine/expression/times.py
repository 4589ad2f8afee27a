"""The functions of time. A time is epoch ms, ISO 8601 text, or a date's text (its midnight), read in the user's zone.

Text without an offset is local time of that zone. What is no time, or beyond the years 1 to 9999, gives None.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import Any

from kairos.engine.iso_time import parse_time

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?")
_LIMIT = 253_402_300_800_000  # the year 10000
_DAY = timedelta(days=1)


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
    local = wall_clock(t, zone)
    here = wall_clock(now, zone)
    return None if local is None or here is None else (here - local) // _DAY


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


def _of_text(text: str) -> datetime | None:
    if len(text) > 64 or not (_DATE.fullmatch(text) or _LOCAL.fullmatch(text)):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
