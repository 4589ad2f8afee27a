"""`schedule`, `crowd` and `pace` become what they mean; the schedule itself is a step that takes `schedule.due`."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any, cast

from kairos.engine.event import DUE
from kairos.engine.pattern.spec import Pattern, Step
from kairos.engine.policy.spec import DAYS
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.fields.schedule import SCHEDULE
from kairos.engine.rule.model import SLOT, Pace, Schedule
from kairos.engine.rule.text.scalars import DAY, parse_duration


def lower_schedule(trigger: Value | None) -> Schedule | None:
    """None: the trigger has none, or one that could not be read."""
    value = trigger.find("schedule") if trigger else None
    kind = next((kind for kind in SCHEDULE.choose if kind in value), None) if value else None
    if trigger is None or value is None or kind is None:
        return None
    said = value[kind].unwrap()
    at = said if isinstance(said, datetime) else None
    before, after = value.plain("before") or 0, value.plain("after") or 0
    return Schedule(
        cast(Any, kind),
        minutes=at.hour * 60 + at.minute if at else said if kind == "daily" else value.plain("time") or 0,
        day=at.date().isoformat() if at else None,
        weekdays=tuple(sorted({DAYS.index(day) for day in said})) if kind == "weekly" else (),
        month_day=said if kind == "monthly" else 0,
        field=said.removeprefix("profile.") if kind in ("yearly", "date") else None,
        shift=(after - before) // DAY,
        zone=None if value.plain("timezone") == "user" else value.plain("timezone"),
        crowd=trigger.plain("crowd"),
        late=value.plain("late"),
    )


def slot_pattern(activity: str, schedule: Schedule | None, live: Container[str]) -> Pattern:
    """One step, named `slot`. Whoever makes slots knows who is in a crowd, unless it is one of `live`."""
    where = f'activity == "{activity}"'
    if schedule is not None and schedule.crowd is not None and schedule.crowd in live:
        where += f' and in_crowd("{schedule.crowd}")'
    return Pattern((Step("event", (DUE,), SLOT, where),))


def lower_pace(value: Value | None) -> Pace | None:
    if value is None:
        return None
    rate, _, per = (value.plain("rate") or "0 per 1s").partition(" per ")
    stop = value.find("stop_if")
    return Pace(
        int(rate),
        parse_duration(per) or 1,
        tuple(value.plain("waves") or ()),
        value.plain("every") or 0,
        stop.plain("failed") if stop else None,
        stop.plain("unsubscribed") if stop else None,
        value.plain("until"),
    )
