"""The slots of a bounded run: what the scheduler would have told the job in that time, as events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.event import CATALOG_ITEM, DUE, Event
from kairos.engine.rule.model import Activity, RuleSet, Schedule
from kairos.engine.schedule.calendar import Slot, slots
from kairos.engine.schedule.due import Instead, due_event
from kairos.engine.schedule.pace import in_order, turns
from kairos.engine.schedule.people import Asked, member

Profiles = Mapping[str, Mapping[str, Any]]
ON_TIME = ("live", "paused", "shadow")
"""States of activities that meet their slots; of a paused one they are recorded as such."""


def with_slots(
    rules: RuleSet, events: Sequence[Event], profiles: Profiles | None, first: int | None, last: int | None
) -> Sequence[Event]:
    """The events, and behind them a `schedule.due` for every known user and slot in [first, last] (epoch ms).

    None: from the first event, to the last one. A slot that the events have already is not told again.
    """
    scheduled = [a for a in rules.activities.values() if a.schedule is not None and a.state in ON_TIME]
    times = [event.time for event in events]
    if not scheduled or not (times or (first is not None and last is not None)):
        return events
    start, end = min(times) if first is None else first, max(times) if last is None else last
    told = {event.id for event in events if event.type == DUE}
    seen = {event.user_id for event in events if event.type != CATALOG_ITEM}
    people: dict[str, Mapping[str, Any]] = {user: {} for user in sorted(seen)} | dict(profiles or {})
    zone = ZoneInfo(rules.policy.timezone)
    due = [event for activity in scheduled for event in _of(activity, rules, people, zone, start, end)]
    return [*events, *(event for event in due if event.id not in told)]


def _of(activity: Activity, rules: RuleSet, people: Profiles, zone: ZoneInfo, start: int, end: int) -> Iterator[Event]:
    schedule = activity.schedule
    assert schedule is not None
    asked = member(schedule.crowd, rules)
    for slot, users in _runs(schedule, people, asked, zone, start, end).items():
        for turn in turns(activity.pace, in_order(users, activity.name, slot.name)):
            instead: Instead | None = "expired" if turn.expired else None
            yield due_event(activity.name, slot.name, turn.user_id, slot.at + turn.after, instead)


def _runs(
    schedule: Schedule, people: Profiles, asked: Asked, zone: ZoneInfo, start: int, end: int
) -> Mapping[Slot, Iterable[str]]:
    """Slot -> the users for whom it comes at that instant."""
    runs: defaultdict[Slot, list[str]] = defaultdict(list)
    for user, profile in people.items():
        for slot in slots(schedule, profile, zone, start, end):
            if asked(user, profile, slot.at):
                runs[slot].append(user)
    return runs
