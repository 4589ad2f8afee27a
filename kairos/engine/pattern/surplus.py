"""Runs that cannot come to anything of their own, because another one always fares as well and goes before them.

Under `exclusive` the earliest start wins, then the most events, and whatever started before the end of what went out is
dropped. So of runs with one first event, in one state, of which conditions can still see the same, the longest stays.
Without this `{v, times: {min: 2}}` and a step after it has a run for every pair of views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kairos.engine.expression.reads import Part
from kairos.engine.pattern.conditions import Conditions
from kairos.engine.pattern.formula import Formula, atoms
from kairos.engine.pattern.graph import Graph, State
from kairos.engine.pattern.marks import Marks, count, last_mark, spans
from kairos.engine.pattern.runs import Run
from kairos.engine.pattern.spec import Pattern

FEW = 16
"""So many runs are not worth a look."""


class Surplus:
    """Knows for each state what conditions can still see of what a run has taken."""

    def __init__(self, pattern: Pattern, graph: Graph, conditions: Conditions) -> None:
        self._steps = len(pattern.steps)
        self._last_counts = pattern.within_kind != "first_last"
        self._seen = [sorted(_still_seen(state, conditions)) for state in graph.states]
        self._firsts = [all(part == "first" for _, part in seen) for seen in self._seen]

    def without(self, runs: list[Run]) -> list[Run]:
        """`runs` in their order; the same list where there is nothing to leave out."""
        if len(runs) <= FEW:
            return runs
        longest: dict[tuple[object, ...], Run] = {}
        for run in runs:
            key = self._key(run)
            best = longest.setdefault(key, run)
            if best is not run and count(run.taken) > count(best.taken):
                longest[key] = run
        if len(longest) == len(runs):
            return runs
        kept = set(map(id, longest.values()))
        return [run for run in runs if id(run) in kept]

    def _key(self, run: Run) -> tuple[object, ...]:
        """Equal for runs that meet the same fate. An absence holds from the first event of the step taken last."""
        taken, steps = run.taken, self._steps
        if len(taken) == 2 and taken[1] < 0 and self._firsts[run.state] and not self._last_counts:
            return (run.state, taken[0])  # one repetition: its first event says it all
        last = last_mark(taken, steps)
        since = next(first for first, _ in spans(taken) if first % steps == last % steps)
        parts = [_part(taken, step, part, steps) for step, part in self._seen[run.state]]
        return (run.state, taken[0], since, last if self._last_counts else None, *parts)


def _part(taken: Marks, step: int, part: Part, steps: int) -> object:
    own = [(first, length) for first, length in spans(taken) if first % steps == step]
    if not own or part == "all":
        return tuple(own)
    if part == "first":
        return own[0][0]
    first, length = own[-1]
    return first + (length - 1) * steps


def _still_seen(state: State, conditions: Conditions) -> set[tuple[int, Part]]:
    """(step, part) of what the conditions on all edges that can be reached from this state read."""
    reached: set[int] = set()
    waiting = [state]
    found: set[tuple[int, Part]] = set()
    while waiting:
        current = waiting.pop()
        if current.number in reached:
            continue
        reached.add(current.number)
        for edge in current.edges:
            waiting.append(edge.target)
            found.update(_seen_by(edge.guard, conditions.parts))
    return found


def _seen_by(guard: Formula, parts: Sequence[Mapping[int, frozenset[Part]]]) -> set[tuple[int, Part]]:
    return {(step, part) for atom in atoms(guard) for step, read in parts[atom.number].items() for part in read}
