"""ISO 8601 times of events, read quickly."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|[0-9]{4})[Tt ]"
    r"[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?|[0-9]{2}(?:[0-9]{2}(?:[.,][0-9]+)?)?)"
    r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
)
_LONGEST = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MOST_KNOWN = 8_192
_seconds: dict[str, int] = {}
"""`2026-11-02T12:00:07` -> epoch ms, as if it were UTC."""
_rests: dict[str, int] = {}
"""`.123+08:00` -> how many ms after that."""


def parse_time(text: str) -> int | None:
    """ISO 8601 date and time with an offset -> epoch ms (a fraction is cut to ms); None for any other text.

    Events come in order, so its second is mostly that of the event before, and what follows the second is known, too.
    """
    try:
        return _seconds[text[:19]] + _rests[text[19:]]
    except KeyError:
        return _parse_new(text)


def _parse_new(text: str) -> int | None:
    """Of a part that is not known, or of another form.

    What becomes known is of the one form with a colon before the seconds: such parts are valid beside each other.
    """
    second, later = _seconds.get(text[:19]), _rests.get(_to_the_ms(text))
    if second is not None and later is not None:
        return second + later
    time, second = parse_any_time(text), parse_any_time(f"{text[:19]}Z")
    if time is not None and second is not None and text[16:17] == ":":
        _remember(_seconds, text[:19], second)
        _remember(_rests, _to_the_ms(text) if text[19:24].lstrip(".,").isdecimal() else text[19:], time - second)
    return time


def _to_the_ms(text: str) -> str:
    """What follows the second, with three digits of its fraction; if it has fewer, nothing that is valid."""
    zone = text[23:].lstrip("0123456789")
    return text[19:23] + zone if zone and len(text) <= _LONGEST else ""


def _remember(known: dict[str, int], part: str, ms: int) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[part] = ms


def parse_any_time(text: str) -> int | None:
    """The definition of `parse_time`."""
    if len(text) > _LONGEST or not _ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (moment - _EPOCH) // _MILLISECOND
