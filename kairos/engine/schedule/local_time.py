"""Wall-clock times where a user is, as instants: a day, a time of day and a zone are one moment, whatever clocks do.

A local time that summer time skips moves on by the length of the gap (Berlin 2026-03-29 02:30 is 03:30); one that comes
twice is the first.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kairos.engine.time_zone import epoch_ms, local

_DAY = timedelta(days=1)


def instant(day: date, minutes: int, zone: ZoneInfo) -> int:
    """Epoch ms at which the clock of `zone` shows `minutes` since midnight on this day."""
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone)  # fold 0: the offset from before
    return epoch_ms(wall.astimezone(UTC))


def day_of(at: int, zone: ZoneInfo) -> date:
    """The date there at this instant (epoch ms)."""
    return local(at, zone).date()


def minutes_of(at: int, zone: ZoneInfo) -> int:
    """The time of day there, in whole minutes since midnight."""
    moment = local(at, zone)
    return moment.hour * 60 + moment.minute


def next_at(after: int, minutes: int, zone: ZoneInfo, weekdays: Collection[int] = (), since: date | None = None) -> int:
    """The first such time of day strictly after `after` (epoch ms), and not before the day `since`.

    `weekdays`: on one of these (0: Monday); none: on any.
    """
    day = max(day_of(after, zone), since or date.min)
    while True:
        if not weekdays or day.weekday() in weekdays:
            at = instant(day, minutes, zone)
            if at > after:
                return at
        day += _DAY
