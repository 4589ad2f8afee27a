"""Which crowds the live activities speak of: changes of others nobody listens to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kairos.engine.crowd.live import live_crowds
from kairos.engine.crowd.spec import Crowd, RuleCrowd, parts_of
from kairos.engine.event import CROWD_ENTERED, CROWD_LEFT
from kairos.engine.expression import Condition, parse
from kairos.engine.expression.tree import Comparison, Literal, Prop, walk
from kairos.engine.rule.journey import Journey, events_of, expressions_of
from kairos.engine.rule.model import Activity, RuleSet

CHANGES = frozenset({CROWD_ENTERED, CROWD_LEFT})


def crowds_spoken_of(rules: RuleSet) -> frozenset[str]:
    """Kept crowds that an activity or journey in force or on trial names, or that are part of a crowd that it names."""
    named: set[str] = set()
    live = [activity for activity in rules.activities.values() if activity.state in ("live", "shadow")]
    waiting = [name for activity in live for name in _of(activity, rules)]
    while waiting:
        name = waiting.pop()
        if name not in named and name in rules.crowds:
            named.add(name)
            waiting += _inside(rules.crowds[name])
    return frozenset(named & rules.kept.keys())


def heard_crowds(rules: RuleSet) -> frozenset[str]:
    """Live crowds whose changes some rule waits for."""
    live = live_crowds(rules.crowds, rules.kept)
    named: set[str] = set()
    for name, activity in rules.activities.items():
        named.update(_changes_of(activity, rules.journeys.get(name), live))
    if any(CHANGES.intersection(metric.of) for metric in rules.metrics.values()):
        named |= live
    return live & named


def _of(activity: Activity, rules: RuleSet) -> Iterator[str]:
    audience, journey = activity.audience, rules.journeys.get(activity.name)
    yield from (*audience.all_of, *audience.any_of, *audience.not_in)
    if isinstance(audience.control, str):
        yield audience.control
    if activity.schedule is not None and activity.schedule.crowd is not None:
        yield activity.schedule.crowd
    for text in (*rules.asked_about(activity), *(expressions_of(journey) if journey else ())):
        yield from parse(text).reads.crowds
    yield from _changes_of(activity, journey, rules.kept)


def _changes_of(activity: Activity, journey: Journey | None, every: Iterable[str]) -> Iterator[str]:
    """The crowds whose changes it waits for; `every`: those of whom it may mean any, where it names none."""
    for types, where in _heard(activity, journey):
        if CHANGES.intersection(types):
            compared = list(_compared(where)) if isinstance(where, str) else []
            yield from compared or every


def _heard(activity: Activity, journey: Journey | None) -> Iterator[tuple[Sequence[str], Condition | None]]:
    """(event types, which of them) of all that it waits for."""
    steps = (*activity.pattern.steps, *(events_of(journey) if journey else ()))
    yield from ((step.types, step.where) for step in steps)
    if activity.goal is not None:
        yield activity.goal.events, activity.goal.where


def _compared(where: str) -> Iterator[str]:
    """The texts that the prop `crowd` is compared with."""
    for node in walk(parse(where).tree):
        if isinstance(node, Comparison) and node.first == Prop(0, 0, "crowd"):
            yield from (str(operand.value) for _, operand in node.rest if isinstance(operand, Literal))


def _inside(crowd: Crowd) -> Iterator[str]:
    if isinstance(crowd, RuleCrowd):
        yield from parse(crowd.where).reads.crowds
    for part in parts_of(crowd):
        if isinstance(part, str):
            yield part
        else:
            yield from _inside(part)
