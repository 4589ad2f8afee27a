"""What has lapsed is dropped: a user's state is bounded by what can still matter."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from kairos.engine.matching import heir_of
from kairos.engine.metric.window import PANES, WindowedMetric
from kairos.engine.rule.compile import Plan
from kairos.engine.seen import later_than, times_of
from kairos.engine.user_state import UserState

HOUR = 3_600_000


def first_sweep(plan: Plan, now: int) -> int:
    """When to look for the first time: an event's id is remembered so long, and nearly all that it caused."""
    return now + max(plan.dedup, HOUR)


def sweep(plan: Plan, state: UserState, now: int) -> None:
    """Drop everything of no consequence at `now`, and note in `sweep_at` when to look again (at most hourly)."""
    state.seen = later_than(state.seen, now - plan.dedup, now)
    state.reservations = [r for r in state.reservations if r.at > now - plan.cap_horizon]
    state.cases = [c for c in state.cases if c.held_for or c.fallback_at or c.keep_until > now]
    state.once = {name: at for name, at in state.once.items() if _once_ends(plan, name, at) > now}
    _sweep_metrics(plan, state, now)
    _sweep_runs(plan, state, now)
    lapse = min(_lapses(plan, state, now), default=None)
    state.sweep_at = 0 if lapse is None else max(lapse, now + HOUR)


def _once_ends(plan: Plan, name: str, at: int) -> float:
    activity = plan.activities.get(name)
    limit = activity.spec.limits.once if activity is not None else "occurrence"
    return inf if limit == "ever" else at + limit if isinstance(limit, int) else 0


def _sweep_metrics(plan: Plan, state: UserState, now: int) -> None:
    by_key = {metric.key: metric for metric in plan.metrics.values()}
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


def _sweep_runs(plan: Plan, state: UserState, now: int) -> None:
    for key in list(state.runs):
        runs_of = state.runs[key]
        activity = heir_of(plan, key, runs_of)
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


def _lapses(plan: Plan, state: UserState, now: int) -> Iterator[int]:
    if state.seen:
        yield min(times_of(state.seen, now)) + plan.dedup
    if state.reservations:
        yield state.reservations[0].at + plan.cap_horizon
    yield from (case.keep_until for case in state.cases if case.keep_until)
    yield from (int(end) for name, at in state.once.items() if (end := _once_ends(plan, name, at)) != inf)
    for key, runs_of in state.runs.items():
        activity = heir_of(plan, key, runs_of)
        if activity is None:
            continue
        for runs in runs_of.parts.values():
            expiry = activity.matcher.expiry(runs)
            if expiry is not None:
                yield expiry
    for metric in plan.metrics.values():
        stored = state.metrics.get(metric.key)
        if stored and metric.window is not None:
            yield _metric_lapse(metric, stored)


def _metric_lapse(metric: WindowedMetric, stored: dict) -> int:  # type: ignore[type-arg]
    newest = max(stored) if metric.per is None else max(max(cells, default=0) for cells in stored.values())
    return (newest + PANES) * (metric.window or 0) // PANES + 1
