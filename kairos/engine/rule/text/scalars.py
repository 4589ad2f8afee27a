"""Durations, shares, clock times, dates and time zones: from their spelling to a value, and back for messages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
LONGEST = 3650 * DAY

NAME = r"[a-z][a-z0-9_]*"
_LETTER = "a-z\u00a1-\u1fff\u2070-\u2fff\u3040-\ufefe\uff66-\U0010ffff"  # of other scripts without their punctuation
EVENT_TYPE = rf"[{_LETTER}][{_LETTER}0-9_]*(\.[{_LETTER}][{_LETTER}0-9_]*)*"
PROP = r"[A-Za-z_][A-Za-z0-9_]*"
DURATION = r"([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?"
PERCENT = r"[0-9]+(\.[0-9]+)?%"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
_YEARS = range(1990, 2101)


def parse_duration(text: str) -> int | None:
    """Milliseconds of `90s`, `10m`, `24h`, `7d` or `9m59s`; None if it is not a duration. Not bounded."""
    found = re.fullmatch(DURATION, text)
    if not found or not text:
        return None
    if len(text) > 40:
        return LONGEST + 1
    units = (DAY, HOUR, MINUTE, SECOND)
    return sum(int(part[:-1]) * unit for part, unit in zip(found.groups(), units, strict=True) if part)


def spell_duration(ms: int) -> str:
    """`600_000` -> `10m`: the largest units that fit, for messages."""
    parts = []
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")):
        count, ms = divmod(ms, unit)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"


def short_duration(ms: int) -> str:
    """`90m`, `1d`, `1500ms`: in the largest unit that it is a whole number of."""
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")):
        if ms and ms % unit == 0:
            return f"{ms // unit}{letter}"
    return f"{ms}ms"


def parse_percent(text: str) -> float | None:
    """`5%` -> 0.05; None if it is not a percentage from 0% to 100%."""
    if len(text) > 40 or not re.fullmatch(PERCENT, text):
        return None
    share = float(text[:-1]) / 100
    return share if share <= 1 else None


def parse_clock(text: str) -> int | None:
    """`22:00` -> minutes since midnight."""
    return int(text[:2]) * 60 + int(text[3:]) if re.fullmatch(CLOCK, text) else None


def parse_moment(text: str) -> datetime | None:
    """A date or date-time of 1990 to 2100; aware only where it carries an offset."""
    if not re.fullmatch(MOMENT, text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.year in _YEARS else None


def epoch_ms(moment: datetime, zone: ZoneInfo) -> int:
    """A moment without offset is local to `zone`."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return int(aware.astimezone(UTC).timestamp() * 1000)


def is_zone(text: str) -> bool:
    """Whether the tz database has this zone, spelt so."""
    return text == "UTC" or text in zones()


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())
