"""What is kept of one user is bounded in bytes, for one value in the job's state holds all of it.

Each thing that is kept adds its size to `UserState.gained`; once that comes to a part of the bounds, all is measured.
A match that holds too much is given up; where all together is too much, the oldest open matches and cases go first, and
then what metrics remember of long ago. What goes is counted, told by `explain`, and, where a message was waiting,
recorded (`cancelled`, `too_large`).
"""

from __future__ import annotations

from typing import Any

from kairos.engine.pattern import Runs
from kairos.engine.size import size_of
from kairos.engine.user.case import Case
from kairos.engine.user.cases import bytes_of, every
from kairos.engine.user.heirs import activity_of
from kairos.engine.user.moment import Instant
from kairos.engine.user.state import UserState

SHARE = 4
"""Measured whenever a fourth of a match's bound was added; after a cut a fourth of the user's bound is free."""


def keep_within_bounds(instant: Instant) -> list[Case]:
    """Measure, and drop what is too much of metrics and open matches. The cases that are to go, too, are returned."""
    state, settings, counters = instant.state, instant.surroundings.settings, instant.surroundings.counters
    state.gained = 0
    _drop_runs(instant, 0, settings.match_bytes)
    metrics = size_of(dict(state.metrics))
    if metrics > settings.user_bytes // 2:
        state.metrics = {key: _newer_half(stored) for key, stored in state.metrics.items()}
        counters["metrics_cut"] += 1
        metrics = size_of(dict(state.metrics))
    open_bytes = size_of(dict(state.runs)) + bytes_of(state) + size_of(state.journeys)
    if metrics + open_bytes <= settings.user_bytes:
        return []
    cut = _cut(state, settings.user_bytes - settings.user_bytes // SHARE - metrics)
    _drop_runs(instant, cut, settings.match_bytes)
    _drop_journeys(instant, cut)
    over = [case for case in every(state) if case.matched_at < cut]
    if over:
        counters["cases_dropped"] += len(over)
    return over


def _drop_journeys(instant: Instant, before: int) -> None:
    """Ways through journeys that began before this time (ms)."""
    journeys = instant.state.journeys
    for name, runs in list(journeys.items()):
        for part in [part for part, run in runs.items() if run.entered < before]:
            instant.surroundings.drop(name, 1)
            del runs[part]
        if not runs:
            del journeys[name]


def _drop_runs(instant: Instant, before: int, most: int) -> None:
    """Open matches that began before this time, or hold more than `most` bytes."""
    state, surroundings = instant.state, instant.surroundings
    for key, runs_of in list(state.runs.items()):
        activity = activity_of(instant.program, key)
        if activity is None:
            continue
        for part, runs in list(runs_of.parts.items()):
            left = activity.matcher.lighten(runs, before, most)
            if left is runs:
                continue
            surroundings.drop(activity.name, len(runs.runs) - (0 if left is None else len(left.runs)))
            if surroundings.observer is not None:
                surroundings.observer.dropped(activity, instant, part, runs, left)
            if left is None:
                del runs_of.parts[part]
            else:
                runs_of.parts[part] = left
        if not runs_of.parts:
            del state.runs[key]


def _cut(state: UserState, room: int) -> int:
    """The time (ms) from which on what began fits into `room` bytes."""
    pieces = [piece for runs_of in state.runs.values() for runs in runs_of.parts.values() for piece in _pieces(runs)]
    pieces += [(case.matched_at, size_of(case)) for case in every(state)]
    pieces += [(run.entered, size_of(run)) for runs in state.journeys.values() for run in runs.values()]
    for time, size in sorted(pieces, reverse=True):
        room -= size
        if room < 0:
            return time + 1
    return 0


def _pieces(runs: Runs) -> list[tuple[int, int]]:
    return [(kept.time, size_of(kept)) for kept in runs.events.values()]


def _newer_half(stored: dict[Any, Any]) -> dict[Any, Any]:
    """Of the cells of a metric, or of those of its `per` values, the newer ones."""
    newest = sorted(stored, key=lambda name: max(stored[name]) if isinstance(stored[name], dict) else name)
    return {name: stored[name] for name in newest[len(newest) // 2 :]}
