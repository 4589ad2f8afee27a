"""The running state of a pattern for one partition, and what comes out of it.

Everything here is plain data: a `Runs` is what a user's value holds for one activity (and one value of `per`), so it is
small and knows neither conditions nor windows. Events are stored once, runs name them by number.

A *mark* is one int for "event number e taken by step s": `e * steps + s`. Event numbers grow in the order of arrival,
so runs and events compare by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from kairos.engine.event import Event

ALL_PROPS = ("*",)


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A partial match: the number of its state, and the marks of what it has taken, in order."""

    state: int
    taken: tuple[int, ...]


class Runs(msgspec.Struct, array_like=True, gc=False):
    """All partial matches of one partition. Never changed in place.

    `runs`, `waiting`: by first event, then as created; `waiting` are finished matches (their marks) held back by a run
    that started earlier. `events`: number -> slimmed event, for what they have taken. `following`: the next number.
    `dropped`: how many runs were not kept because of the limit, since this state began.
    """

    following: int
    runs: list[Run]
    waiting: list[tuple[int, ...]]
    events: dict[int, Event]
    dropped: int = 0


def slim(event: Event, names: tuple[str, ...]) -> Event:
    """The event as it is kept: without its user, with the props of these names ("*" alone: all)."""
    props = event.props
    kept = props if names == ALL_PROPS else {name: props[name] for name in names if name in props}
    return Event(event.id, event.type, event.time, event.source, kept)


@dataclass(frozen=True, slots=True)
class Match:
    """A finished match: step name -> events taken, in the order of the steps; a step that took none is missing.

    `at`: event time (ms) of the event or deadline that decided or released it; `first`: time of its first event.
    """

    steps: Mapping[str, tuple[Event, ...]]
    at: int
    first: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A partial match, told for people: ids of what was taken, by step; the step it waits for; when it is over (ms)."""

    steps: Mapping[str, tuple[str, ...]]
    waits_for: str
    deadline: int | None
