"""The state format: a user's state as bytes, versioned msgpack, never pickled classes.

What older versions wrote stays readable.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from kairos.engine.event import Event
from kairos.engine.pattern import Run, Runs
from kairos.engine.pattern.runs import Kept
from kairos.engine.rule.changes.origin import origin_of
from kairos.engine.user.case import Case
from kairos.engine.user.cases import put_away
from kairos.engine.user.drawers import FEW, Drawers, Packed, pack
from kairos.engine.user.seen import add, mark_before
from kairos.engine.user.state import STATE_VERSION, ActivityRuns, Reservation, UserState

T = TypeVar("T")


_READ = frozenset(range(4, STATE_VERSION))
"""Versions that differ from this one by what they lack."""


class StateVersionError(Exception):
    """The stored value was written by a newer engine than this one, or by none."""


class StateCodec:
    """Encoder and decoder; made per worker, because msgspec objects cannot be pickled along with a job."""

    def __init__(self, few: int = FEW) -> None:
        """`few`: so many metrics, cases, and open matches of so many activities, are written as they are."""
        self._few = few
        self._encode = msgspec.msgpack.Encoder(enc_hook=_nothing).encode
        self._runs: Callable[[bytes], ActivityRuns] = msgspec.msgpack.Decoder(ActivityRuns).decode
        self._metric: Callable[[bytes], Any] = msgspec.msgpack.Decoder().decode
        self._decode = msgspec.msgpack.Decoder(UserState).decode
        self._decode_3 = msgspec.msgpack.Decoder(_UserState3).decode
        self._decode_2 = msgspec.msgpack.Decoder(_UserState2).decode

    def encode(self, state: UserState) -> bytes:
        few = self._few
        if len(state.runs) > few or len(state.metrics) > few or state.packed_runs or state.packed_metrics:
            self._pack(state)
        if state.packed_cases or len(state.cases) > few:
            put_away(state, few)
        if state.shadow is not None:
            self._pack(state.shadow)
            put_away(state.shadow, few)
        return self._encode(state)

    def decode(self, value: bytes | memoryview) -> UserState:
        """What an older version wrote is of this one from here on. Raises StateVersionError.

        A golden file per version under tests/ keeps old values readable.
        """
        try:
            state = self._decode(value)
        except msgspec.DecodeError as error:  # of an older version, whose `seen` is of another type, or not a state
            return self._decode_older(value, error)
        if state.version in _READ:
            state.version = STATE_VERSION  # what came since has its default
            if state.shadow is not None:
                state.shadow.version = STATE_VERSION
        if state.version != STATE_VERSION:
            raise StateVersionError(f"user state of version {state.version}, this engine knows up to {STATE_VERSION}")
        if state.packed_runs or state.packed_metrics:
            self._unpack(state)
        if state.shadow is not None:
            self._unpack(state.shadow)
        return state

    def _pack(self, state: UserState) -> None:
        """What is many is in drawers from here on, and written as those."""
        state.runs, state.packed_runs = self._packed(state.runs, self._runs)
        state.metrics, state.packed_metrics = self._packed(state.metrics, self._metric)

    def _packed(
        self, values: MutableMapping[str, T], unpack: Callable[[bytes], T]
    ) -> tuple[MutableMapping[str, T], Packed | None]:
        if len(values) <= self._few:
            return values if isinstance(values, dict) else dict(values), None
        drawers = values if isinstance(values, Drawers) else Drawers(pack(values), unpack)
        return drawers, drawers.packed()

    def _unpack(self, state: UserState) -> None:
        if state.packed_runs is not None:
            state.runs = Drawers(state.packed_runs, self._runs)
        if state.packed_metrics is not None:
            state.metrics = Drawers(state.packed_metrics, self._metric)

    def _decode_older(self, value: bytes | memoryview, error: msgspec.DecodeError) -> UserState:
        with suppress(msgspec.DecodeError):
            return self._decode_3(value).converted()
        with suppress(msgspec.DecodeError):
            return self._decode_2(value).converted()
        raise StateVersionError(
            f"a user state that this engine (version {STATE_VERSION}) cannot read: {error}"
        ) from None


def _nothing(value: object) -> dict[str, Any]:
    """What stands in place of drawers, which are written packed, elsewhere. Raises TypeError for any other object."""
    if not isinstance(value, Drawers):
        raise TypeError(f"a user state cannot hold an object of type {type(value).__name__}")
    return {}


class _UserState3(msgspec.Struct, array_like=True):
    """`seen`: records of one bucket, their hash of (source, id)."""

    version: int
    applied_until: int
    due: int
    tail: list[Event]
    seen: bytes
    metrics: dict[str, Any]
    runs: dict[str, ActivityRuns]
    cases: list[Case]
    reservations: list[Reservation]
    once: dict[str, int]
    sweep_at: int
    timer: int

    def converted(self) -> UserState:
        return UserState(
            STATE_VERSION, self.applied_until, self.due, self.tail, [], self.metrics, self.runs, self.cases,
            self.reservations, self.once, self.sweep_at, self.timer, [self.seen] if self.seen else [],
        )  # fmt: skip


class _Runs2(msgspec.Struct, array_like=True):
    following: int
    runs: list[Run]
    waiting: list[tuple[int, ...]]
    events: dict[int, Event]
    dropped: int = 0

    def converted(self) -> Runs:
        events = {n: Kept(e.id, e.type, e.time, e.source, e.props) for n, e in self.events.items()}
        return Runs(self.following, self.runs, self.waiting, events, self.dropped)


class _ActivityRuns2(msgspec.Struct, array_like=True):
    version: str
    shape: str
    parts: dict[str, _Runs2]

    def converted(self) -> ActivityRuns:
        parts = {part: runs.converted() for part, runs in self.parts.items()}
        return ActivityRuns(origin_of(self.version, self.shape), parts)


class _UserState2(msgspec.Struct, array_like=True):
    """Versions 1 and 2. `seen`: "source NUL id" -> event time."""

    version: int
    applied_until: int
    due: int
    tail: list[Event]
    seen: dict[str, int]
    metrics: dict[str, Any]
    runs: dict[str, _ActivityRuns2]
    cases: list[Case]
    reservations: list[Reservation]
    once: dict[str, int]
    sweep_at: int

    def converted(self) -> UserState:
        seen: list[bytes] = []
        for name, time in self.seen.items():
            source, _, event_id = name.partition("\0")
            add(seen, mark_before(Event(event_id, "", time, source, {})), time)
        runs = {key: runs_of.converted() for key, runs_of in self.runs.items()}
        return UserState(
            STATE_VERSION, self.applied_until, self.due, self.tail, [], self.metrics, runs, self.cases,
            self.reservations, self.once, self.sweep_at, 0, seen,
        )  # fmt: skip
