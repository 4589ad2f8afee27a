"""Runs: a slot of an activity at one instant, for the users whose clocks show it then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.profile.zone import own_zone
from kairos.engine.rule.model import Schedule
from kairos.engine.rule.text.scalars import zones
from kairos.engine.schedule.calendar import days, name_of
from kairos.engine.schedule.local_time import day_of, instant

_UTC = ZoneInfo("UTC")
_AWAY = timedelta(days=2)  # no clock is further from UTC, a gap included


@dataclass(frozen=True, slots=True, order=True)
class Run:
    """`at`: epoch ms; `slot`: the local time, `2026-12-12T10:00`."""

    at: int
    activity: str
    slot: str


def runs_between(activity: str, schedule: Schedule, default: ZoneInfo, after: int, until: int) -> list[Run]:
    """Those with an instant in (after, until], in order. Of a date of the profile every day may be one.

    `default`: the zone of users without one.
    """
    first, last = day_of(after, _UTC) - _AWAY, day_of(until, _UTC) + _AWAY
    if schedule.field is not None:
        found: Iterable[date] = (first + timedelta(days=n) for n in range((last - first).days + 1))
    else:
        found = days(schedule, {}, default, first, last)
    clocks = [ZoneInfo(schedule.zone)] if schedule.zone is not None else [default, *_everywhere()]
    runs = {
        Run(at, activity, name_of(day, schedule.minutes))
        for day in found
        for at in {instant(day, schedule.minutes, clock) for clock in clocks}
        if after < at <= until
    }
    return sorted(runs)


@cache
def _everywhere() -> tuple[ZoneInfo, ...]:
    """A clock of every zone; each is a file."""
    return tuple(map(ZoneInfo, sorted(zones())))


def concerns(run: Run, schedule: Schedule, default: ZoneInfo) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a run is that of a user with this profile."""
    day = date.fromisoformat(run.slot[:10])
    shown: dict[ZoneInfo, bool] = {}

    def ask(profile: Mapping[str, Any]) -> bool:
        zone = ZoneInfo(schedule.zone) if schedule.zone is not None else own_zone(profile) or default
        if zone not in shown:
            shown[zone] = instant(day, schedule.minutes, zone) == run.at
        return shown[zone] and (schedule.field is None or any(days(schedule, profile, zone, day, day)))

    return ask
