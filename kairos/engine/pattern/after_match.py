"""What a finished match does to the other runs of its partition.

Five strategies are Flink CEP's (AfterMatchSkipStrategy and NFA.processMatchesAccordingToSkipStrategy of flink-cep
2.3.0): matches go out by first event, and, apart from `no_skip`, one waits while a run that started earlier is open,
since that one could still finish first and drop it. `exclusive` is Kairos' own: nothing waits.

Runs and matches are seen here as marks (marks.py), first event first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kairos.engine.pattern.marks import Marks, count, each, last_mark
from kairos.engine.pattern.runs import Run
from kairos.engine.pattern.spec import Pattern


@dataclass(slots=True)
class Standing:
    """Runs, waiting matches (both by first event) and what goes out now."""

    runs: list[Run]
    waiting: list[Marks]
    released: list[Marks]


class AfterMatch(Protocol):
    """One strategy: takes the matches that just finished, in the order of their creation."""

    def settle(self, standing: Standing, finished: list[Marks]) -> None: ...


class Exclusive:
    """The earliest start wins, then the most events; whatever started at or before its last event is dropped."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def settle(self, standing: Standing, finished: list[Marks]) -> None:
        steps = self._steps
        rest = sorted(finished, key=lambda marks: (marks[0] // steps, -count(marks)))
        while rest:
            match = rest[0]
            last = last_mark(match, steps) // steps
            standing.released.append(match)
            standing.runs = [run for run in standing.runs if run.taken[0] // steps > last]
            rest = [marks for marks in rest if marks[0] // steps > last]


class NoSkip:
    """Every match goes out, nothing is dropped."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def settle(self, standing: Standing, finished: list[Marks]) -> None:
        steps = self._steps
        standing.released += sorted(finished, key=lambda marks: marks[0] // steps)


class Skip:
    """Drops what started before the event number that `until` names for a match (None: drops nothing)."""

    def __init__(self, steps: int, until: Callable[[Marks], int | None]) -> None:
        self._steps = steps
        self._until = until

    def settle(self, standing: Standing, finished: list[Marks]) -> None:
        steps = self._steps
        # sorted() is stable: among equal starts what waits already was created first.
        waiting = sorted(standing.waiting + finished, key=lambda marks: marks[0] // steps)
        while waiting and not self._held(standing.runs, waiting[0]):
            match = waiting.pop(0)
            standing.released.append(match)
            until = self._until(match)
            if until is not None:
                standing.runs = [run for run in standing.runs if run.taken[0] // steps >= until]
                waiting = [marks for marks in waiting if marks[0] // steps >= until]
        standing.waiting = waiting

    def _held(self, runs: list[Run], match: Marks) -> bool:
        return bool(runs) and runs[0].taken[0] // self._steps < match[0] // self._steps


def after_match(pattern: Pattern) -> AfterMatch:
    """The strategy of a pattern."""
    steps = len(pattern.steps)
    kind = pattern.after_match.kind
    if kind == "exclusive":
        return Exclusive(steps)
    if kind == "no_skip":
        return NoSkip(steps)
    if kind == "skip_past_last":
        return Skip(steps, lambda marks: last_mark(marks, steps) // steps + 1)
    if kind == "skip_to_next":
        return Skip(steps, lambda marks: marks[0] // steps + 1)
    target = [step.name for step in pattern.steps].index(pattern.after_match.step or "")
    return Skip(steps, _event_of(steps, target, 0 if kind == "skip_to_first" else -1))


def _event_of(steps: int, step: int, position: int) -> Callable[[Marks], int | None]:
    def number(marks: Marks) -> int | None:
        taken = [mark // steps for mark in each(marks, steps) if mark % steps == step]
        return taken[position] if taken else None

    return number
