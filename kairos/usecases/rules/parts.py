"""Which value of `per` a decision is about: records do not say, but an occurrence is made of it.

Where an event has one value, its id says as much. One with a list of values begins a match for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from kairos.engine.compare.verdict import PartOf
from kairos.engine.decision import Record, occurrence_id
from kairos.engine.event import Event
from kairos.engine.rule.model import RuleSet
from kairos.engine.user.moment import part_keys


def parts_in(rules: RuleSet, events: Iterable[Event]) -> PartOf:
    """Record -> its value, "" where the first event has no list of them."""
    per = {name: activity.pattern.per for name, activity in rules.activities.items() if activity.pattern.per}
    props = set(per.values())
    asked = events if props else ()
    listed = (one for one in asked if any(type(one.props.get(prop)) is list for prop in props))
    many = {(event.user_id, event.id): event for event in listed}

    def part_of(record: Record) -> str:
        first = next((ids[0] for ids in record.steps.values() if ids), "")
        event = many.get((record.user_id, first))
        if event is None or record.activity not in per:
            return ""
        steps, keys = record.steps, part_keys(event, per[record.activity])
        made = (key for key in keys if occurrence_id(record.activity, {**steps, "/per": [key]}) == record.occurrence)
        return next(made, "")

    return part_of
