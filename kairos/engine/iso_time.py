"""ISO 8601 times of events, read quickly."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

FIRST_TIME = 631_152_000_000  # 1990-01-01T00:00Z
LAST_TIME = 4_102_444_800_000  # 2100-01-01T00:00Z

_ISO = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|[0-9]{4})[Tt ]"
    r"[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?|[0-9]{2}(?:[0-9]{2}(?:[.,][0-9]+)?)?)"
    r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
)
LONGEST = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = 86_400_000
_MOST_KNOWN = 8_192
DIGITS = "0123456789"
seconds: dict[str, int] = {}
"""`2026-11-02T12:00:07` -> epoch ms, as if it were UTC; such that events may be at, whatever the offset."""
rests: dict[str, tuple[int, int]] = {}
"""`.123+08:00` -> how many ms after that, and the colons of both."""
longer_rests: dict[str, tuple[int, int]] = {}
"""`+08:00.123` -> the same of `.123` with one or more digits behind it, then `+08:00`."""


def parse_time(text: str) -> int | None:
    """ISO 8601 date and time with an offset -> epoch ms (a fraction is cut to ms); None for any other text.

    Events come in order, so its second is mostly that of the event before, and what follows the second is known, too.
    """
    second, later = seconds.get(text[:19]), rests.get(text[19:])
    if later is None and len(text) <= LONGEST:
        later = longer_rests.get(text[23:].lstrip(DIGITS) + text[19:23])
    if second is None or later is None:
        found = time_and_colons(text)
        return found[0] if found is not None else None
    return second + later[0]


def time_and_colons(text: str) -> tuple[int, int] | None:
    """As `parse_time`, and how many colons the text has; slowly. It makes the parts known.

    Those are of the one form with a colon before the seconds: such parts are valid beside each other.
    """
    time, second = parse_any_time(text), parse_any_time(f"{text[:19]}Z")
    if time is None:
        return None
    colons = text.count(":")
    if second is not None and FIRST_TIME + _DAY <= second <= LAST_TIME - _DAY and text[16] == ":":
        later = (time - second, colons)
        _remember(seconds, text[:19], second)
        if text[20:24].isdecimal():
            _remember(longer_rests, text[23:].lstrip(DIGITS) + text[19:23], later)
        else:
            _remember(rests, text[19:], later)
    return time, colons


def _remember(known: dict[str, T], part: str, found: T) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[part] = found


def parse_any_time(text: str) -> int | None:
    """The definition of `parse_time`."""
    if len(text) > LONGEST or not _ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (moment - _EPOCH) // _MILLISECOND
