"""A `.test.yaml` becomes a `TestFile`: times made absolute, profiles of the file merged into each test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.event import Event
from kairos.engine.rule.examples import Example, Expected, TestFile
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.model import Active, Activity, Source
from kairos.engine.rule.text.scalars import epoch_ms

ENVELOPE = ("at", "id", "source")
_ANY_DAY = datetime(2026, 1, 14)
_NOON = timedelta(hours=12)

Table = dict[str, dict[str, Any]]


def lower_examples(
    value: Value, activity: Activity, file: str, zone: ZoneInfo, sources: dict[str, Source] | None
) -> TestFile:
    """Expects a value without findings. `activity`: what it is about; of a journey its entry."""
    start = value.plain("start")
    zero = epoch_ms(start, zone) if start else default_start(activity.active, zone)
    journey = activity.name if activity.part else None
    profiles, metrics = value.plain("profiles") or {}, value.plain("metrics") or {}
    tests = tuple(_example(test, zero, journey, profiles, metrics, sources) for test in value["tests"].each())
    return TestFile(activity.name, file, zero, tests)


def default_start(active: Active, zone: ZoneInfo) -> int:
    """Noon of the first day inside `active` that has one, in the activity's zone."""
    if active.start is not None:
        first = datetime.fromtimestamp(active.start / 1000, zone).replace(tzinfo=None)
        noon = datetime.combine(first, datetime.min.time()) + _NOON
        start = epoch_ms(noon if noon >= first else noon + timedelta(days=1), zone)
        return start if active.end is None or start < active.end else active.start
    if active.end is not None:
        last = datetime.fromtimestamp(active.end / 1000, zone).replace(tzinfo=None)
        return epoch_ms(datetime.combine(last, datetime.min.time()) - _NOON, zone)
    return epoch_ms(_ANY_DAY + _NOON, zone)


def event_entry(value: Value) -> tuple[str, Value] | None:
    """The event type of an example's event, and its props."""
    return next(((key, entry) for key, entry in value.items() if key not in ENVELOPE), None)


def _example(
    value: Value, start: int, journey: str | None, profiles: Table, metrics: Table, sources: dict[str, Source] | None
) -> Example:
    events = tuple(_event(event, n, start, sources) for n, event in enumerate(value["events"].each(), 1))
    return Example(
        value.plain("name"),
        events,
        tuple(_expected(entry, start, journey) for entry in value["expect"].each()),
        _merged(profiles, value.plain("profiles") or {}),
        _merged(metrics, value.plain("metrics") or {}),
        value.node.line,
    )


def _merged(below: Table, above: Table) -> Table:
    return {user: {**below.get(user, {}), **above.get(user, {})} for user in {**below, **above}}


def _event(value: Value, number: int, start: int, sources: dict[str, Source] | None) -> Event:
    entry = event_entry(value)
    assert entry is not None
    type_, props = entry[0], entry[1].unwrap()
    source = value.plain("source") or next((s.name for s in (sources or {}).values() if type_ in s.events), "")
    user = props.pop("user_id")
    return Event(value.plain("id") or f"e{number}", type_, start + value.plain("at"), source, props, user)


def _expected(value: Value, start: int, journey: str | None) -> Expected:
    """Of a journey each expectation is about its entry, or the part that `step` names."""
    fields = value.unwrap()
    step = fields.pop("step", None)
    if journey is not None:
        fields["activity"] = f"{journey}.{step}" if step else journey
    return Expected(start + fields.pop("at"), fields.pop("outcome"), fields, value.node.line)
