"""Which activities' messages anybody listens to: of the others nothing needs to be remembered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kairos.engine.event import MESSAGE_EVENTS
from kairos.engine.expression import Condition, ExpressionError, parse
from kairos.engine.expression.tree import Comparison, Literal, Logic, Prop, walk
from kairos.engine.rule.journey import events_of
from kairos.engine.rule.model import Activity, RuleSet

EVERY = "*"
Followed = frozenset[str]
"""Names of activities; EVERY among them: all."""


def follows(followed: Followed, activity: str) -> bool:
    return activity in followed or EVERY in followed


def followed_in(rules: RuleSet, draining: Iterable[Activity] = ()) -> Followed:
    """Those whose messages a pattern, a journey, a goal or a metric of the rules asks for."""
    asked = [*_asked_in((*rules.activities.values(), *draining))]
    asked += [(metric.of, metric.where) for metric in rules.metrics.values()]
    asked += [(event.types, event.where) for journey in rules.journeys.values() for event in events_of(journey)]
    listening = [where for types, where in asked if not set(MESSAGE_EVENTS).isdisjoint(types)]
    return frozenset(name for where in listening for name in activities_in(where) or {EVERY})


def _asked_in(activities: Iterable[Activity]) -> Iterator[tuple[tuple[str, ...], Condition | None]]:
    for activity in activities:
        yield from ((step.types, step.where) for step in activity.pattern.steps)
        if activity.goal is not None:
            yield activity.goal.events, activity.goal.where


def activities_in(where: Condition | None) -> frozenset[str] | None:
    """The activities that a condition allows, as far as it says `activity == "..."`; None: any."""
    try:
        tree = parse(where).tree if isinstance(where, str) else None
    except ExpressionError:  # told elsewhere
        return None
    for node in tree.operands if isinstance(tree, Logic) and tree.operator == "and" else (tree,):
        if isinstance(node, Comparison) and isinstance(node.first, Prop) and node.first.name == "activity":
            (operator, other), *more = node.rest
            if not more and operator in ("==", "in"):
                named = [item.value for item in walk(other) if isinstance(item, Literal)]
                return frozenset(name for name in named if isinstance(name, str))
    return None
