"""A user's state as bytes: versioned msgpack, never pickled classes; what older versions wrote stays readable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kairos.engine.event import Event
from kairos.engine.pattern import Runs
from kairos.engine.seen import NOWHERE, look, with_record
from kairos.engine.user_state import STATE_VERSION, ActivityRuns, Case, Reservation, UserState, origin_of


class StateVersionError(Exception):
    """The stored value was written by a newer engine than this one, or by none."""


class StateCodec:
    """Encoder and decoder; made per worker, because msgspec objects cannot be pickled along with a job."""

    def __init__(self) -> None:
        self.encode: Callable[[UserState], bytes] = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(UserState).decode
        self._decode_2 = msgspec.msgpack.Decoder(_UserState2).decode

    def decode(self, value: bytes | memoryview) -> UserState:
        """What an older version wrote is of this one from here on. Raises StateVersionError.

        A golden file per version under tests/ keeps old values readable.
        """
        try:
            state = self._decode(value)
        except msgspec.DecodeError as error:  # of version 2, whose `seen` no version 3 has, or not to be read at all
            try:
                return self._decode_2(value).converted()
            except msgspec.DecodeError:
                raise StateVersionError(
                    f"a user state that this engine (version {STATE_VERSION}) cannot read: {error}"
                ) from None
        if state.version != STATE_VERSION:
            raise StateVersionError(f"user state of version {state.version}, this engine knows up to {STATE_VERSION}")
        return state


class _ActivityRuns2(msgspec.Struct, array_like=True):
    version: str
    shape: str
    parts: dict[str, Runs]

    def converted(self) -> ActivityRuns:
        return ActivityRuns(origin_of(self.version, self.shape), self.parts)


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
        seen = b""
        for name, time in self.seen.items():
            source, _, event_id = name.partition("\0")
            mark, _ = look(seen, Event(event_id, "", time, source, {}))
            seen = with_record(seen, NOWHERE, mark, time)
        runs = {key: runs_of.converted() for key, runs_of in self.runs.items()}
        return UserState(
            STATE_VERSION, self.applied_until, self.due, self.tail, seen, self.metrics, runs, self.cases,
            self.reservations, self.once, self.sweep_at,
        )  # fmt: skip
