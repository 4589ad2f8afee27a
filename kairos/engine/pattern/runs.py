"""The running state of a pattern for one partition, and what comes out of it.

Everything here is plain data: a `Runs` is what a user's value holds for one activity (and one value of `per`), so it is
small and knows neither conditions nor windows. Events are stored once, runs name them by number (marks.py). Event
numbers grow in the order of arrival, so runs and events compare by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from kairos.engine.event import Event

ALL_PROPS = ("*",)
UUID_LENGTH = 36


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event as runs keep it: without its user, with the props that are read. `id`: text, or the bytes of a UUID."""

    id: Any  # msgspec has no unions of the two
    type: str
    time: int
    source: str
    props: dict[str, Any]
    seq: int = 0

    @property
    def event(self) -> Event:
        return Event(_told(self.id), self.type, self.time, self.source, self.props, seq=self.seq)


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A partial match: the number of its state, and what it has taken, in order (marks.py)."""

    state: int
    taken: tuple[int, ...]


class Runs(msgspec.Struct, array_like=True, gc=False):
    """All partial matches of one partition. Never changed in place.

    `runs`, `waiting`: by first event, then as created; `waiting` are finished matches (their marks) held back by a run
    that started earlier. `events`: number -> event, for what they have taken. `following`: the next number.
    `dropped`: how many runs were not kept because of the limit, since this state began.
    """

    following: int
    runs: list[Run]
    waiting: list[tuple[int, ...]]
    events: dict[int, Kept]
    dropped: int = 0


def slim(event: Event, names: tuple[str, ...]) -> Event:
    """The event without its user, with the props of these names ("*" alone: all)."""
    return Event(event.id, event.type, event.time, event.source, _props(event, names), seq=event.seq)


def keep(event: Event, names: tuple[str, ...]) -> Kept:
    """The event as runs keep it, with the props of these names."""
    return Kept(_packed(event.id), event.type, event.time, event.source, _props(event, names), event.seq)


def _props(event: Event, names: tuple[str, ...]) -> dict[str, Any]:
    props = event.props
    return props if names == ALL_PROPS else {name: props[name] for name in names if name in props}


def _packed(name: str) -> str | bytes:
    if len(name) == UUID_LENGTH:
        try:
            packed = bytes.fromhex(name.replace("-", ""))
        except ValueError:
            return name
        if _told(packed) == name:
            return packed
    return name


def _told(name: str | bytes) -> str:
    if isinstance(name, str):
        return name
    text = name.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


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
