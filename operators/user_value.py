"""What is kept of one user in keyed state, and the one timer that a user has."""

from __future__ import annotations

import pickle
import struct
from typing import Protocol

from pyflink.datastream import TimerService

from kairos.engine.user.apart import Apart, Shelf, lend, move_out, put_by
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState

_CURRENT = StateCodec().encode(UserState())[0]
"""The first byte of a value of this version."""
_PICKLED = pickle.dumps(b"")[0]
_TIMER = struct.Struct(">q")
_TIMER_FIRST = (0x00, 0xFF)
"""The first byte of values up to version 2 of the state: 8 bytes of the timer, then the state."""


class ByteState(Protocol):
    """Flink's value state of the current key."""

    def value(self) -> bytes | None: ...
    def update(self, value: bytes) -> None: ...
    def clear(self) -> None: ...


class UserValue:
    """One read and one write per event that matters; of many remembered events a part more (apart.py)."""

    def __init__(self, state: ByteState, shelf: Shelf) -> None:
        """`shelf`: Flink's map state of the current key."""
        self._state, self._shelf = state, shelf
        self._on_shelf: list[Apart] = []
        self._codec = StateCodec()
        self.size = 0
        """Bytes of what was loaded last."""

    def load(self) -> UserState:
        """Raises StateVersionError."""
        value = self._state.value()
        if value is None:
            self.size = 0
            self._on_shelf = []
            return UserState()
        self.size = len(value)
        state = self._codec.decode(value) if value[0] == _CURRENT else self._load_older(value)
        self._on_shelf = lend(state.seen_blocks, self._shelf)
        return state

    def _load_older(self, value: bytes) -> UserState:
        if value[0] == _PICKLED:  # thread mode's state was behind PyFlink's, which pickles
            value = pickle.loads(value)
        if value[0] not in _TIMER_FIRST:
            return self._codec.decode(value)
        state = self._codec.decode(memoryview(value)[_TIMER.size :])
        state.timer = max(0, _TIMER.unpack_from(value)[0])
        return state

    def save(self, state: UserState, due: int | None, timers: TimerService) -> None:
        """Writes what was loaded last. `due`: when the engine wants to be asked. A timer earlier than that is left to
        fire in vain: cheaper than moving it with each event."""
        if due is not None and (not state.timer or due < state.timer):
            timers.register_event_time_timer(due)
            state.timer = due
        value = self._written(state)
        if value is None:
            self._state.clear()
        else:
            self._state.update(value)

    def _written(self, state: UserState) -> bytes | None:
        """What changes on the shelf changes once nothing can go wrong any more: else all stays as it was."""
        blocks = state.seen_blocks
        if not blocks and not self._on_shelf:  # of nearly every user
            return None if state.empty else self._codec.encode(state)
        move_out(blocks, self._shelf, self._on_shelf)
        value = None if state.empty else self._codec.encode(state)
        put_by(blocks, self._on_shelf)
        return value

    def disarm(self, fired: int) -> None:
        """Forgets the timer that has fired for nothing: the user's next event sets it anew."""
        state = self.load()
        take_timer(state, fired)
        if not state.empty:
            self._state.update(self._codec.encode(state))


def take_timer(state: UserState, fired: int) -> None:
    """A timer left behind may fire before the one that is registered."""
    if state.timer <= fired:
        state.timer = 0
