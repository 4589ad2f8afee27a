"""What has lapsed is dropped: a user's state is bounded by what can still matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from kairos.engine.event import END_OF_TIME
from kairos.engine.pattern import Runs
from kairos.engine.pattern.matcher import Matcher
from kairos.engine.rule.compile import Program
from kairos.engine.rule.compiled_journey import CompiledJourney
from kairos.engine.rule.handlers import earliest
from kairos.engine.rule.model import OncePer
from kairos.engine.user.cases import drop_lapsed, lapses
from kairos.engine.user.heirs import heir_of
from kairos.engine.user.journey_run import JourneyRun
from kairos.engine.user.once import activity_of_key
from kairos.engine.user.remembered import forget_lapsed
from kairos.engine.user.seen import later_than
from kairos.engine.user.state import Slots, UserState

T = TypeVar("T")

LATER = 3_600_000
"""So long after something has lapsed it is dropped (ms): with what lapses until then, in one pass and by one timer."""


def first_sweep(program: Program, now: int) -> int:
    """When to look for the first time: an event's id is remembered so long, and nearly all that it caused."""
    return now + program.dedup + LATER


def sweep(program: Program, state: UserState, now: int) -> None:
    """Drop everything of no consequence at `now`, and note in `sweep_at` when to look again."""
    if state.consents:
        state.consents = {topic: word for topic, word in state.consents.items() if topic in program.rules.topics}
    if state.crowds:
        heard = program.heard_crowds
        state.crowds = {name: inside for name, inside in state.crowds.items() if name in heard and inside}
    lapse = min(room(program, state, now) for room in _ROOMS)
    state.sweep_at = 0 if lapse == END_OF_TIME else lapse + LATER


# Each drops what has lapsed, and says when the first of what is left will (ms). What is empty, as most is of most
# users, costs a look.


def _sweep_repetitions(program: Program, state: UserState, now: int) -> int:
    first = forget_lapsed(state, now - program.dedup, now) if state.seen or state.seen_blocks else None
    if state.seen_before:
        state.seen_before, before = later_than(state.seen_before, now - program.dedup, now)
        first = earliest(first, before)
    return END_OF_TIME if first is None else first + program.dedup


def _sweep_reservations(program: Program, state: UserState, now: int) -> int:
    if not state.reservations:
        return END_OF_TIME
    state.reservations = [r for r in state.reservations if r.at > now - program.cap_horizon]
    return state.reservations[0].at + program.cap_horizon if state.reservations else END_OF_TIME


def _sweep_cases(_program: Program, state: UserState, now: int) -> int:
    if not state.cases and not state.packed_cases:
        return END_OF_TIME
    drop_lapsed(state, now)
    return min(filter(None, lapses(state)), default=END_OF_TIME)


def _sweep_once(program: Program, state: UserState, now: int) -> int:
    if not state.once:
        return END_OF_TIME
    state.once, first = _left(state.once, partial(_once_ends, program), now)
    return first


def _once_ends(program: Program, key: str, at: int) -> int:
    activity = program.activities.get(activity_of_key(key))
    limit = activity.spec.limits.once if activity is not None else "occurrence"
    if isinstance(limit, OncePer):
        return at + limit.span
    return END_OF_TIME if limit == "ever" else at + limit if isinstance(limit, int) else 0


def _sweep_matching(program: Program, state: UserState, now: int) -> int:
    if not state.matching:
        return END_OF_TIME
    state.matching, first = _left(state.matching, partial(_slots_end, program), now)
    return first


def _slots_end(program: Program, name: str, slots: Slots) -> int:
    group = program.policy.matching.get(name)
    if group is None:
        return 0
    return max(slots.closes, slots.wins[-1] + (group.per or 1) if slots.wins else 0)


def _left(values: Mapping[str, T], end_of: Callable[[str, T], int], now: int) -> tuple[dict[str, T], int]:
    """What ends after `now`, and the first of these ends."""
    ends = {name: end_of(name, value) for name, value in values.items()}
    left = {name: value for name, value in values.items() if ends[name] > now}
    return left, min((ends[name] for name in left), default=END_OF_TIME)


def _sweep_metrics(program: Program, state: UserState, now: int) -> int:
    first = END_OF_TIME
    for key in list(state.metrics):
        metric, stored = program.metrics_by_key.get(key), state.metrics[key]
        if metric is not None and metric.per is not None:
            for part in [part for part, cells in stored.items() if metric.lapsed(cells, now)]:
                del stored[part]
        lapse = 0 if metric is None or not stored else metric.lapses_at(stored)
        if lapse is not None and lapse <= now:
            del state.metrics[key]
        elif lapse is not None and lapse < first:
            first = lapse
    return first


def _sweep_runs(program: Program, state: UserState, now: int) -> int:
    first = END_OF_TIME
    for key in list(state.runs):
        runs_of = state.runs[key]
        activity = heir_of(program, key, runs_of)
        if activity is not None:
            first = min(first, _sweep_parts(activity.matcher, runs_of.parts, now))
        if activity is None or not runs_of.parts:
            del state.runs[key]
    return first


def _sweep_parts(matcher: Matcher, parts: dict[str, Runs], now: int) -> int:
    first = END_OF_TIME
    for part, runs in list(parts.items()):
        expiry = matcher.expiry(runs)
        if expiry is not None and expiry <= now:
            left, _ = matcher.on_time(runs, now)
            if left is None:
                del parts[part]
                continue
            parts[part], expiry = left, matcher.expiry(left)
        if expiry is not None and expiry < first:
            first = expiry
    return first


def _sweep_journeys(program: Program, state: UserState, now: int) -> int:
    """Runs that are over and whose goal does not count any more, and those of journeys that are gone."""
    first = END_OF_TIME
    for name, runs in list(state.journeys.items()):
        for part, run in list(runs.items()):
            journey = program.journey_of(name, run.version)
            ends = 0 if journey is None else END_OF_TIME if run.inside else _goal_ends(journey, run)
            if ends <= now:
                del runs[part]
            else:
                first = min(first, ends)
        if not runs:
            del state.journeys[name]
    return first


def _goal_ends(journey: CompiledJourney, run: JourneyRun) -> int:
    goal = journey.entry.goal
    return 0 if goal is None or run.goal_met else run.entered + goal.within


_ROOMS = (
    _sweep_repetitions, _sweep_reservations, _sweep_cases, _sweep_once, _sweep_matching, _sweep_metrics, _sweep_runs,
    _sweep_journeys,
)  # fmt: skip
