"""When a run is over: `within` of the pattern, and of its steps.

For an `absent` at the end (Flink's `notFollowedBy`) that is when the match is complete.
"""

from __future__ import annotations

from collections.abc import Iterator

from kairos.engine.pattern.graph import Action, Graph, Kind, State
from kairos.engine.pattern.marks import Marks, last_mark, spans
from kairos.engine.pattern.runs import Run, Runs
from kairos.engine.pattern.spec import Pattern

Bound = tuple[int, int]
"""A step, and how long (ms) after the last event of the steps before it that step still takes something."""


class Deadlines:
    """`some`: whether any run is ever over. `pending`: by state, whether a run is a match when it is over.

    A run is over at the end of the pattern's `within`, or when it can neither take another event nor become a match.
    One that needs nothing but time is a match at the deadline of the final absence.
    """

    def __init__(self, pattern: Pattern, graph: Graph) -> None:
        self.pending = tuple(_needs_only_time(state) for state in graph.states)
        self._steps = len(pattern.steps)
        self._within = pattern.within
        self._from_first = pattern.within_kind == "first_last"
        self._ways = tuple(self._ways_of(pattern, state) for state in graph.states)
        self._in_order = self._from_first and not any(self._ways)
        self.some = pattern.within is not None or any(self._ways)

    def _ways_of(self, pattern: Pattern, state: State) -> tuple[Bound, ...]:
        """What bounds a run in this state; nothing, where one of its ways is not bounded."""
        last = pattern.steps[-1].within
        if self.pending[state.number]:
            return ((self._steps - 1, last),) if last is not None else ()
        ways = list(_ways_on(pattern, state))
        bounds = tuple((step, within) for step, within in ways if within is not None)
        return bounds if len(bounds) == len(ways) else ()

    def end(self, run: Run, runs: Runs) -> int | None:
        """The time (ms) at which this run is over; None: never."""
        end: int | None = None
        if self._within is not None:
            mark = run.taken[0] if self._from_first else last_mark(run.taken, self._steps)
            end = runs.events[mark // self._steps].time + self._within
        own = self._own_end(run, runs)
        return own if end is None else end if own is None else min(end, own)

    def _own_end(self, run: Run, runs: Runs) -> int | None:
        """Where the steps before one of the ways have taken nothing, that way is not bounded."""
        end: int | None = None
        for step, within in self._ways[run.state]:
            before = self._before(step, run.taken)
            if before is None:
                return None
            at = runs.events[before // self._steps].time + within
            end = at if end is None else max(end, at)
        return end

    def first(self, runs: Runs) -> int | None:
        """When the first of these is over."""
        if not runs.runs:
            return None
        if self._in_order:  # runs are in the order of their first events
            return self.end(runs.runs[0], runs)
        return min((end for run in runs.runs if (end := self.end(run, runs)) is not None), default=None)

    def _before(self, step: int, taken: Marks) -> int | None:
        """The mark of the last event that the steps before this one have taken."""
        last = None
        for first, length in spans(taken):
            if first % self._steps >= step:
                break
            last = first + (length - 1) * self._steps
        return last


def _needs_only_time(state: State) -> bool:
    """Whether a run in this state is a match at its deadline: it waits for the final absence, or could at once."""
    if state.kind is Kind.PENDING:
        return True
    return any(_needs_only_time(edge.target) for edge in state.edges if edge.action is Action.PROCEED)


def _ways_on(pattern: Pattern, state: State) -> Iterator[tuple[int, int | None]]:
    """The steps whose events lead on from this state, each with its own `within`.

    A final `not_next` is decided by an event that it passes over, whenever that comes.
    """
    for edge in state.edges:
        if edge.action is Action.TAKE:
            yield state.step, pattern.steps[state.step].within
        elif edge.action is Action.IGNORE and edge.target.kind is Kind.FINAL:
            yield state.step, None
        elif edge.action is Action.PROCEED and edge.target.kind is not Kind.STOP:
            yield from _ways_on(pattern, edge.target)
