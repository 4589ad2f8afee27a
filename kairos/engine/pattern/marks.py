"""What a run has taken, as a tuple of ints; and the same for conditions, as steps and their events.

A *mark* is one int for "event number e taken by step s": `e * steps + s`. After it, a negative int -n says that the
same step took the next n events as well. So a thousand runs that began one view after the other are a thousand short
tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

from kairos.engine.event import Event
from kairos.engine.pattern.runs import Kept

Marks = tuple[int, ...]
Span = tuple[int, int]
"""A mark, and how many there are from it on."""


def with_mark(marks: Marks, mark: int, steps: int) -> Marks:
    """The marks after this one was taken too."""
    if not marks:
        return (mark,)
    last = marks[-1]
    if last >= 0:
        return (*marks, -1) if mark == last + steps else (*marks, mark)
    if mark == marks[-2] + (1 - last) * steps:
        return (*marks[:-1], last - 1)
    return (*marks, mark)


def last_mark(marks: Marks, steps: int) -> int:
    last = marks[-1]
    return last if last >= 0 else marks[-2] - last * steps


def count(marks: Marks) -> int:
    """How many events were taken."""
    return len(marks) if min(marks) >= 0 else sum(1 if mark >= 0 else -mark for mark in marks)


def spans(marks: Marks) -> Iterator[Span]:
    for place, mark in enumerate(marks):
        if mark >= 0:
            more = marks[place + 1] if place + 1 < len(marks) else 0
            yield mark, 1 - more if more < 0 else 1


def each(marks: Marks, steps: int) -> Iterator[int]:
    """All marks, one by one."""
    for first, length in spans(marks):
        yield from range(first, first + length * steps, steps)


def numbers(every: Iterable[Marks], steps: int) -> set[int]:
    """The numbers of all events that these marks name; what many of them share is looked at once."""
    ranges = {(first // steps, first // steps + length) for marks in every for first, length in spans(marks)}
    found: set[int] = set()
    end = 0
    for first, after in sorted(ranges):
        found.update(range(max(first, end), after))
        end = max(end, after)
    return found


def steps_of(marks: Marks, events: Mapping[int, Kept], names: Sequence[str]) -> dict[str, tuple[Event, ...]]:
    """Step name -> the events that it took; a step that took none is missing."""
    taken: dict[str, list[Event]] = {}
    for mark in each(marks, len(names)):
        number, step = divmod(mark, len(names))
        taken.setdefault(names[step], []).append(events[number].event)
    return {name: tuple(found) for name, found in taken.items()}


def view_of(marks: Marks, events: Mapping[int, Kept], names: Sequence[str]) -> Mapping[str, Sequence[Event]]:
    """The same for conditions, which are asked of every run and mostly look at one event of a long repetition."""
    if min(marks) >= 0:
        return steps_of(marks, events, names)
    taken: dict[str, list[Span]] = {}
    for first, length in spans(marks):
        number, step = divmod(first, len(names))
        taken.setdefault(names[step], []).append((number, length))
    return {name: _Events(found, events) for name, found in taken.items()}


class _Events(Sequence[Event]):
    """The events that one step has taken, looked up when they are asked for."""

    __slots__ = ("_events", "_spans")

    def __init__(self, found: list[Span], events: Mapping[int, Kept]) -> None:
        self._spans = found
        self._events = events

    def __len__(self) -> int:
        return sum(length for _, length in self._spans)

    def __iter__(self) -> Iterator[Event]:
        for first, length in self._spans:
            for number in range(first, first + length):
                yield self._events[number].event

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        if index == 0:
            return self._events[self._spans[0][0]].event
        if index == -1:
            first, length = self._spans[-1]
            return self._events[first + length - 1].event
        return list(self)[index]
