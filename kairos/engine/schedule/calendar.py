"""From a schedule to its slots: local days with a time of day, and the instants at which they come."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.expression.times import date as date_there
from kairos.engine.profile.zone import own_zone
from kairos.engine.rule.model import Schedule
from kairos.engine.schedule.local_time import day_of, instant

_DAY = timedelta(days=1)
_FEBRUARY_29 = (2, 29)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A slot of one user: the instant (epoch ms) at which the local time `name`, `2026-12-12T10:00`, comes there."""

    at: int
    name: str


def slots(schedule: Schedule, profile: Mapping[str, Any], default: ZoneInfo, first: int, last: int) -> Iterator[Slot]:
    """Those of a user in [first, last] (epoch ms), in order; none where the profile lacks the date that it hangs on.

    `default`: the zone of users without one.
    """
    zone = zone_of(schedule, profile, default)
    for day in days(schedule, profile, zone, day_of(first, zone) - _DAY, day_of(last, zone) + _DAY):
        at = instant(day, schedule.minutes, zone)
        if first <= at <= last:
            yield Slot(at, name_of(day, schedule.minutes))


def zone_of(schedule: Schedule, profile: Mapping[str, Any], default: ZoneInfo) -> ZoneInfo:
    return ZoneInfo(schedule.zone) if schedule.zone is not None else own_zone(profile) or default


def name_of(day: date, minutes: int) -> str:
    return f"{day.isoformat()}T{minutes // 60:02}:{minutes % 60:02}"


def days(schedule: Schedule, profile: Mapping[str, Any], zone: ZoneInfo, first: date, last: date) -> Iterator[date]:
    """The local days in [first, last] that have a slot, in order."""
    if schedule.kind in ("yearly", "date"):
        found = _of_profile(schedule, profile, zone, first, last)
        yield from (day for day in found if first <= day <= last)
    elif schedule.kind == "at":
        day = date.fromisoformat(schedule.day or "")
        if first <= day <= last:
            yield day
    else:
        every = (first + timedelta(days=n) for n in range((last - first).days + 1))
        yield from (day for day in every if _recurs(schedule, day))


def _recurs(schedule: Schedule, day: date) -> bool:
    if schedule.kind == "weekly":
        return day.weekday() in schedule.weekdays
    if schedule.kind == "monthly":
        return day.day == min(schedule.month_day, calendar.monthrange(day.year, day.month)[1])
    return True


def _of_profile(
    schedule: Schedule, profile: Mapping[str, Any], zone: ZoneInfo, first: date, last: date
) -> Iterator[date]:
    """Around [first, last]: what the profile's date gives, moved by the schedule's days."""
    said = date_there(profile.get(schedule.field or ""), zone)
    if said is None:
        return
    known, shift = date.fromisoformat(said), timedelta(days=schedule.shift)
    if schedule.kind == "date":
        yield known + shift
        return
    for year in range(max(1, (first - shift).year), min(9999, (last - shift).year) + 1):
        leap = (known.month, known.day) == _FEBRUARY_29 and not calendar.isleap(year)
        yield known.replace(year=year, day=28 if leap else known.day) + shift
