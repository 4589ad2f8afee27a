"""What has lapsed is dropped: a user's state is bounded by what can still matter."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from kairos.engine.rule.compile import Program
from kairos.engine.rule.compiled_journey import CompiledJourney
from kairos.engine.rule.model import OncePer
from kairos.engine.user.cases import drop_lapsed, lapses
from kairos.engine.user.heirs import heir_of
from kairos.engine.user.journey_run import JourneyRun
from kairos.engine.user.once import activity_of_key
from kairos.engine.user.remembered import forget_lapsed, times_remembered
from kairos.engine.user.seen import later_than, times_of
from kairos.engine.user.state import Slots, UserState

HOUR = 3_600_000


def first_sweep(program: Program, now: int) -> int:
    """When to look for the first time: an event's id is remembered so long, and nearly all that it caused."""
    return now + max(program.dedup, HOUR)


def sweep(program: Program, state: UserState, now: int) -> None:
    """Drop everything of no consequence at `now`, and note in `sweep_at` when to look again (at most hourly)."""
    forget_lapsed(state, now - program.dedup, now)
    state.seen_before = later_than(state.seen_before, now - program.dedup, now)
    state.reservations = [r for r in state.reservations if r.at > now - program.cap_horizon]
    drop_lapsed(state, now)
    state.once = {name: at for name, at in state.once.items() if _once_ends(program, name, at) > now}
    state.consents = {topic: word for topic, word in state.consents.items() if topic in program.rules.topics}
    state.crowds = {name: inside for name, inside in state.crowds.items() if name in program.heard_crowds and inside}
    state.matching = {name: slots for name, slots in state.matching.items() if _slots_end(program, name, slots) > now}
    _sweep_metrics(program, state, now)
    _sweep_runs(program, state, now)
    _sweep_journeys(program, state, now)
    lapse = min(_lapses(program, state, now), default=None)
    state.sweep_at = 0 if lapse is None else max(lapse, now + HOUR)


def _once_ends(program: Program, key: str, at: int) -> float:
    activity = program.activities.get(activity_of_key(key))
    limit = activity.spec.limits.once if activity is not None else "occurrence"
    if isinstance(limit, OncePer):
        return at + limit.span
    return inf if limit == "ever" else at + limit if isinstance(limit, int) else 0


def _slots_end(program: Program, name: str, slots: Slots) -> int:
    group = program.policy.matching.get(name)
    if group is None:
        return 0
    return max(slots.closes, slots.wins[-1] + (group.per or 1) if slots.wins else 0)


def _sweep_metrics(program: Program, state: UserState, now: int) -> None:
    by_key = {metric.key: metric for metric in program.metrics.values()}
    for key in list(state.metrics):
        metric = by_key.get(key)
        if metric is None:
            del state.metrics[key]
        elif metric.per is not None:
            parts = state.metrics[key]
            for part in [p for p, cells in parts.items() if metric.lapsed(cells, now)]:
                del parts[part]
            if not parts:
                del state.metrics[key]
        elif metric.lapsed(state.metrics[key], now):
            del state.metrics[key]


def _sweep_runs(program: Program, state: UserState, now: int) -> None:
    for key in list(state.runs):
        runs_of = state.runs[key]
        activity = heir_of(program, key, runs_of)
        if activity is not None:
            for part, runs in list(runs_of.parts.items()):
                expiry = activity.matcher.expiry(runs)
                if expiry is not None and expiry <= now:
                    left, _ = activity.matcher.on_time(runs, now)
                    if left is None:
                        del runs_of.parts[part]
                    else:
                        runs_of.parts[part] = left
        if activity is None or not runs_of.parts:
            del state.runs[key]


def _sweep_journeys(program: Program, state: UserState, now: int) -> None:
    """Runs that are over and whose goal does not count any more, and those of journeys that are gone."""
    for name, runs in list(state.journeys.items()):
        for part, run in list(runs.items()):
            journey = program.journey_of(name, run.version)
            if journey is None or (not run.inside and _goal_ends(journey, run) <= now):
                del runs[part]
        if not runs:
            del state.journeys[name]


def _goal_ends(journey: CompiledJourney, run: JourneyRun) -> int:
    goal = journey.entry.goal
    return 0 if goal is None or run.goal_met else run.entered + goal.within


def _lapses(program: Program, state: UserState, now: int) -> Iterator[int]:
    yield from (time + program.dedup for time in times_remembered(state, now))
    yield from (time + program.dedup for time in times_of(state.seen_before, now))
    if state.reservations:
        yield state.reservations[0].at + program.cap_horizon
    yield from filter(None, lapses(state))
    yield from (_slots_end(program, name, slots) for name, slots in state.matching.items())
    yield from (int(end) for name, at in state.once.items() if (end := _once_ends(program, name, at)) != inf)
    for key, runs_of in state.runs.items():
        activity = heir_of(program, key, runs_of)
        if activity is None:
            continue
        for runs in runs_of.parts.values():
            expiry = activity.matcher.expiry(runs)
            if expiry is not None:
                yield expiry
    for metric in program.metrics.values():
        stored = state.metrics.get(metric.key)
        if stored and (lapse := metric.lapses_at(stored)) is not None:
            yield lapse
    for name, runs_in in state.journeys.items():
        for run in runs_in.values():
            journey = program.journey_of(name, run.version)
            if journey is not None and not run.inside:
                yield _goal_ends(journey, run)
