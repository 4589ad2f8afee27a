"""Schedules and their pace: what is missing, does not go together, or can never come."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from kairos.engine.profile.fields import OWN_FIELDS
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.references import check_name
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import Report, listed, nearest
from kairos.engine.rule.text.scalars import DAY, epoch_ms, spell_duration

_OF_A_DAY = ("weekly", "monthly", "yearly", "date")
_OF_A_FIELD = ("yearly", "date")


def check_schedule(draft: Draft, world: World, today: int | None) -> None:
    trigger, pace = draft.source["trigger"], draft.source.find("pace")
    value = trigger.find("schedule")
    if crowd := trigger.find("crowd"):
        check_name(crowd, "crowd", "crowd", world.crowd_names, draft.report, "crowds.yaml")
    if value is not None:
        _check_keys(value, draft.report)
        _check_field(value, world, draft.report)
        _check_at(value, world, draft.report, today)
    elif pace is not None and "schedule" not in trigger.keys:
        message = "pace: only what a schedule begins has a pace: the others come when users do something"
        draft.report.error(draft.source.keys["pace"], "wrong-form", message, "trigger: {schedule: ...}")
    if pace is not None:
        _check_waves(pace, draft.report)


def _check_keys(value: Value, report: Report) -> None:
    kind = next((kind for kind in _OF_A_DAY if kind in value.keys), "")
    if kind and "time" not in value.keys:
        message = "schedule: 'time' is missing: when on that day"
        report.error(value.keys[kind], "missing-key", message, 'time: "09:00"')
    only = {"time": _OF_A_DAY, "before": _OF_A_FIELD, "after": _OF_A_FIELD, "late": ("at",)}
    for key, kinds in only.items():
        if key in value.keys and not set(kinds) & value.keys.keys():
            message = f"schedule: '{key}' goes with {listed(kinds, 'and')} only"
            report.error(value.keys[key], "wrong-form", message, "remove it")
    if "before" in value.keys and "after" in value.keys:
        report.error(value.keys["after"], "too-many-kinds", "schedule: before and after exclude each other: keep one")
    for key in ("before", "after"):
        if (days := value.find(key)) and days.data % DAY:
            report.error(
                days.node, "bad-duration", f"{key}: expected whole days, found {spell_duration(days.data)}", "3d"
            )


def _check_field(value: Value, world: World, report: Report) -> None:
    """The date must be one: nobody with another field ever has a slot."""
    place = next((value[kind] for kind in _OF_A_FIELD if kind in value), None)
    if place is None or world.profile is None:
        return
    field, declared = place.data.removeprefix("profile."), {**OWN_FIELDS, **world.profile}
    if field not in declared:
        message = f"schedule: profile.yaml declares no field '{field}'"
        report.error(place.node, "unknown-profile-field", message, nearest(field, declared))
    elif declared[field] not in ("date", "time", "string"):
        message = f"schedule: profile.{field} is {declared[field]}; a slot needs a date or a time"
        report.error(place.node, "type-mismatch", message)


def _check_at(value: Value, world: World, report: Report, today: int | None) -> None:
    at = value.find("at")
    if at is None or not isinstance(at.data, datetime):
        return
    if at.data.tzinfo is not None or at.data.second:
        message = "at: expected a local time in whole minutes: `timezone` says where"
        report.error(at.node, "bad-moment", message, f"at: {at.data:%Y-%m-%dT%H:%M}")
    elif today is not None and epoch_ms(at.data, ZoneInfo(world.policy.timezone)) < today - DAY:
        report.warning(at.node, "dates-past", "at: this moment has passed: nobody will have this slot", "a later date")


def _check_waves(pace: Value, report: Report) -> None:
    waves = pace.find("waves")
    if waves is None:
        if "every" in pace.keys:
            report.error(pace.keys["every"], "wrong-form", "pace: 'every' goes with waves only", "remove it")
        return
    if "every" not in pace.keys:
        report.error(
            pace.keys["waves"], "missing-key", "pace: 'every' is missing: how long from wave to wave", "every: 15m"
        )
    shares = [share.data for share in waves.each()]
    if any(one >= other for one, other in pairwise(shares)) or (shares and shares[-1] != 1):
        message = "waves: expected growing shares that end with 100%: the last wave is everyone who is left"
        report.error(waves.node, "bad-waves", message, "[1%, 10%, 100%]")
