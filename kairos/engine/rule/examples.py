"""The examples beside an activity, after loading: events in, decisions out. Pure data; times are epoch ms."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.engine.event import Event


class Expected(msgspec.Struct, frozen=True):
    """One decision. `fields` has what must be equal besides `at` and `outcome`, by the record's field names;

    `data` there is compared name by name, as far as it is written. `line` is that of the file, for messages.
    """

    at: int
    outcome: str
    fields: dict[str, Any]
    line: int


class Example(msgspec.Struct, frozen=True):
    """One test. `profiles` and `metrics` (user -> name -> value) have those of the whole file already merged in."""

    name: str
    events: tuple[Event, ...]
    expect: tuple[Expected, ...]
    profiles: dict[str, dict[str, Any]]
    metrics: dict[str, dict[str, Any]]
    line: int


class TestFile(msgspec.Struct, frozen=True):
    """All examples of one activity. `start` is what `at: 0s` means."""

    __test__ = False  # not a test case of pytest

    activity: str
    file: str
    start: int
    tests: tuple[Example, ...]
