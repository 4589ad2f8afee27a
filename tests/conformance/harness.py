"""Runs one pattern over one stream, as the engine does: deadlines first, then the event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kairos.engine.event import Event
from kairos.engine.expression.scope import Facts
from kairos.engine.pattern import Match, Matcher, Pattern, Runs, compile_pattern
from tests.conformance.conditions import compile_condition

END_OF_TIME = 1 << 60
MANY = 100_000

Steps = dict[str, list[str]]


@dataclass(frozen=True)
class Case:
    """A pattern, a stream in order, and the ids of each expected match by step."""

    pattern: Pattern
    events: tuple[Event, ...]


def matcher_of(pattern: Pattern, max_runs: int = MANY) -> Matcher:
    return compile_pattern(pattern, compile_condition, {"": frozenset({"x", "name"})}, max_runs)


def run(case: Case, between: Callable[[Runs | None], Runs | None] = lambda runs: runs) -> list[Match]:
    """All matches in the order in which they come out; `between` is applied to the state before each event."""
    matcher = matcher_of(case.pattern)
    scope = Facts()
    runs: Runs | None = None
    matches: list[Match] = []
    for event in case.events:
        if event.type not in matcher.types:
            continue
        runs = between(runs)
        deadline = matcher.next_deadline(runs)
        if deadline is not None and deadline <= event.time:
            runs, found = matcher.on_time(runs, event.time)
            matches += found
        scope.event, scope.props, scope.now = event, event.props, event.time
        runs, found = matcher.on_event(runs, event, scope)
        matches += found
    runs, found = matcher.on_time(between(runs), END_OF_TIME)
    return matches + found


def ids(matches: Iterable[Match]) -> list[Steps]:
    """Each match as the ids that each step took."""
    return [{name: [event.id for event in events] for name, events in match.steps.items()} for match in matches]
