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
_DIGITS = "0123456789"
seconds: dict[str, int] = {}
"""`2026-11-02T12:00:07` -> epoch ms, as if it were UTC; such that events may be at, whatever the offset."""
rests: dict[str, tuple[int, int]] = {}
"""What follows a second, `.123+08:00` -> how many ms after it, and the colons of both."""
thousandths = {f".{ms:03}": ms for ms in range(1_000)}
"""What follows a second where there are more digits, `.123` -> ms. What follows that is in `tails`."""
tails: dict[str, tuple[int, int]] = {}
"""`456+08:00`, and `+08:00` for any number of digits before it -> as `rests`."""
MICROSECONDS = frozenset(len("2026-11-02T12:00:07.123456") + len(zone) for zone in ("Z", "+08:00"))
"""Characters of a time to the microsecond."""


def parse_time(text: str) -> int | None:
    """ISO 8601 date and time with an offset -> epoch ms (a fraction is cut to ms); None for any other text.

    Events come in order, so its second is mostly that of the event before, and what follows the second is known, too.
    """
    found = time_and_colons(text)
    return None if found is None else found[0]


def time_and_colons(text: str) -> tuple[int, int] | None:
    """As `parse_time`, and how many colons the text has. It makes the parts known."""
    if len(text) > LONGEST:
        return None
    second, later = seconds.get(text[:19]), rests.get(text[19:])
    ms: int | None = 0
    if later is None:
        later, ms = tails.get(text[23:].lstrip(_DIGITS)), thousandths.get(text[19:23])
    if second is None or later is None or ms is None:
        return _by_the_definition(text)
    if len(text) in MICROSECONDS:
        _remember(tails, text[23:], later)
    return second + ms + later[0], later[1]


def _by_the_definition(text: str) -> tuple[int, int] | None:
    """Parts made known are of the one form with a colon before the seconds: they are valid beside each other."""
    time, second = parse_any_time(text), parse_any_time(f"{text[:19]}Z")
    if time is None:
        return None
    colons = text.count(":")
    if second is not None and FIRST_TIME + _DAY <= second <= LAST_TIME - _DAY and text[16] == ":":
        _remember(seconds, text[:19], second)
        ms = thousandths.get(text[19:23])
        if ms is not None and text[23].isdecimal():
            _remember(tails, text[23:].lstrip(_DIGITS), (time - second - ms, colons))
        else:
            _remember(rests, text[19:], (time - second, colons))
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
