"""Everything known of one user, as one value. codec.py writes and reads it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import msgspec

from kairos.engine.event import Event
from kairos.engine.pattern import Runs
from kairos.engine.profile.topics import Word
from kairos.engine.rule.changes.origin import shape_of, version_of
from kairos.engine.user.case import Case
from kairos.engine.user.drawers import Packed
from kairos.engine.user.journey_run import JourneyRun

STATE_VERSION = 10
"""1: events could not be merged. An engine of version 1 would take such ones for others, so it must not read them.
2: the events seen and the origin of runs were texts.
3: an event was told from others by its source and id alone, whatever its type, and had no ordinal.
4: cases did not know which of their events were told.
5: there were no journeys.
6: it did not say what users agree to; an engine that reads no such word takes a no for a yes.
7: it did not remember who is in which live crowd.
8: it did not say whose each reservation is, there were no shadows, and groups did not compete.
9: nothing was packed (drawers.py)."""


class ActivityRuns(msgspec.Struct, array_like=True, dict=True):
    """Open partial matches of one activity, by value of `per` ("" without). `origin`: the definition that made them.

    In its `__dict__`, which is not written, ends.py keeps when they end.
    """

    origin: bytes
    parts: dict[str, Runs]

    @property
    def version(self) -> str:
        return version_of(self.origin)

    @property
    def shape(self) -> bytes:
        return shape_of(self.origin)


class Reservation(msgspec.Struct, array_like=True, gc=False):
    """One send that uses up caps. `activity`: "" of one that a version up to 8 made."""

    at: int
    occurrence: str
    channel: str
    caps: tuple[str, ...]
    activity: str = ""


class Slots(msgspec.Struct, array_like=True):
    """Of a group that competes (`matching`): when its window closes, and the times of the last wins, in order (ms)."""

    closes: int = 0
    wins: list[int] = []


class Later(msgspec.Struct, array_like=True, gc=False):
    """Events of the tail that it is not the turn of (tail.py): msgpack, one behind the other as they came.

    All of the tail that are from `first` to `last` (event time in ms) are in it.
    """

    first: int
    last: int
    count: int
    events: bytes


class SeenBlock(msgspec.Struct, array_like=True, dict=True):
    """Events remembered against repetitions (remembered.py). `last`: the newest event time. `records`: a table of where
    the records of each part of the hash begin, and then those; of a block beside the value (apart.py) its number.

    In its `__dict__`, which is not written, apart.py keeps where such a block is read."""

    last: int
    count: int
    records: memoryview


class CaseBatch(msgspec.Struct, array_like=True):
    """Cases that lie packed (cases.py): msgpack, one behind the other.

    `due`: when the first of them is to be asked about again, 0: none waits; `lapses`: the first `keep_until`; `sent`:
    the last `sent_at`; `going`: whether any may still go; `activities`: a bit for each, of 64 by a hash of its name.
    `opened`: those of it, while they are unpacked; from then on the rest says what was.
    """

    count: int
    due: int
    lapses: int
    sent: int
    going: bool
    activities: int
    cases: bytes
    opened: list[Case] | None = None


class UserState(msgspec.Struct, array_like=True):
    """`applied_until` is the last instant applied (base); `tail` holds later events in order, not yet applied,
    and `later` those behind them.

    `seen` has the events of the dedup horizon (seen.py), `seen_blocks` those before them where there are many,
    `seen_before` those that a version up to 3 took; `metrics`
    "name@definition" -> cells; `once` activity -> time of its last send; `due` caches the earliest time at which base
    alone has something to do (0: none); `sweep_at` is when to look next for what has lapsed (0: nothing can). `timer`,
    for whoever keeps timers: the one that is registered for this user (0: none). `gained`: bytes added since the state
    was last measured (bounds.py). `waits_since`, `waits_until`: this user's time stands still, for what comes late in
    company (patience.py). `journeys`: journey -> value of `per` ("" without) -> where the user is in it. `consents`:
    what this user has said by events, by topic. `crowds`: the live crowds that some rule listens to, and whether the
    user is in them; `crowds_until`: when time alone changes that (0: never). `shadow`: what is kept of activities on
    trial, with an `applied_until` and a `due` of its own; the tail, metrics and consents are the user's. `matching`: by
    group. `packed_metrics`, `packed_runs`: for the codec alone, what is written of `metrics` and `runs` where they are
    many. `cases`: the newest, behind those in `packed_cases`.
    """

    version: int = STATE_VERSION
    applied_until: int = 0
    due: int = 0
    tail: list[Event] = []
    seen: list[bytes] = []
    metrics: MutableMapping[str, Any] = {}
    runs: MutableMapping[str, ActivityRuns] = {}
    cases: list[Case] = []
    reservations: list[Reservation] = []
    once: dict[str, int] = {}
    sweep_at: int = 0
    timer: int = 0
    seen_before: list[bytes] = []
    gained: int = 0
    waits_since: int = 0
    waits_until: int = 0
    journeys: dict[str, dict[str, JourneyRun]] = {}
    consents: dict[str, Word] = {}
    crowds: dict[str, bool] = {}
    crowds_until: int = 0
    shadow: UserState | None = None
    matching: dict[str, Slots] = {}
    packed_metrics: Packed | None = None
    packed_runs: Packed | None = None
    later: list[Later] = []
    packed_cases: list[CaseBatch] = []
    seen_blocks: list[SeenBlock] = []

    def wake_by(self, time: int | None) -> None:
        """Notes that something is due at this time (ms); 0 or None: nothing is."""
        if time and (not self.due or time < self.due):
            self.due = time

    @property
    def next_due(self) -> int:
        """The earliest `due` of the user's own and that of the shadow (0: none)."""
        own, other = self.due, self.shadow.due if self.shadow is not None else 0
        return min(own, other) if own and other else own or other

    @property
    def empty(self) -> bool:
        if self.seen or self.tail:  # as nearly always, and it is asked after every event
            return False
        kept = self.metrics or self.runs or self.cases or self.reservations or self.once
        more = self.seen_before or self.journeys or self.consents or self.matching or any(self.crowds.values())
        return not (kept or more or self.later or self.packed_cases or self.seen_blocks) and (
            self.shadow is None or self.shadow.empty
        )
