"""Until when a step waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.expression.times import wall_clock
from kairos.engine.rule.journey import Wait
from kairos.engine.schedule.local_time import day_of, instant, minutes_of, next_at

DAY, MINUTE = 86_400_000, 60_000


def end_of(wait: Wait, since: int, zone: ZoneInfo, profile: Mapping[str, Any]) -> int:
    """Epoch ms at which somebody who came there at `since` goes on; what is past already is `since` itself."""
    if wait.until is not None:
        end = _date(wait, zone, profile.get(wait.until))
        return since if end is None else max(since, end)
    if wait.at is None and not wait.days:
        return since + wait.span
    day = day_of(since, zone) + timedelta(days=wait.days)
    if wait.at is not None:
        return next_at(since, wait.at, zone, wait.on, day)
    return instant(day, minutes_of(since, zone), zone) + since % MINUTE


def _date(wait: Wait, zone: ZoneInfo, value: Any) -> int | None:
    """The time in a field of the profile, shifted: whole days by the calendar, the rest by the clock.

    None: the field holds no date.
    """
    wall = wall_clock(value, zone)
    if wall is None:
        return None
    days, rest = divmod(wait.shift, DAY)
    day = wall.date() + timedelta(days=days)
    if wait.at is not None:
        return instant(day, wait.at, zone) + rest
    return instant(day, wall.hour * 60 + wall.minute, zone) + wall.second * 1000 + wall.microsecond // 1000 + rest
