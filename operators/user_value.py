"""What is kept of one user in keyed state: 8 bytes of the timer that is registered, then the engine's value."""

from __future__ import annotations

import struct
from typing import Protocol

from pyflink.datastream import TimerService

from kairos.engine.user_state import StateCodec, UserState

_TIMER = struct.Struct(">q")
NO_TIMER = -1


class ByteState(Protocol):
    """Flink's value state of the current key."""

    def value(self) -> bytes | None: ...
    def update(self, value: bytes) -> None: ...
    def clear(self) -> None: ...


class UserValue:
    """One read and one write per event that matters."""

    def __init__(self, state: ByteState) -> None:
        self._state = state
        self._codec = StateCodec()

    def load(self) -> tuple[UserState, int]:
        """The user's state, and the event time (ms) of the timer that is registered (NO_TIMER: none)."""
        value = self._state.value()
        if value is None:
            return UserState(), NO_TIMER
        return self._codec.decode(memoryview(value)[_TIMER.size :]), _TIMER.unpack_from(value)[0]

    def save(self, state: UserState, due: int | None, armed: int, timers: TimerService) -> None:
        """`due`: when the engine wants to be asked. A timer earlier than that is left to fire in vain: cheaper than
        moving it with each event."""
        if due is not None and (armed == NO_TIMER or due < armed):
            timers.register_event_time_timer(due)
            armed = due
        if state.empty:
            self._state.clear()
        else:
            self._state.update(_TIMER.pack(armed) + self._codec.encode(state))

    def disarm(self) -> None:
        """The timer has fired and nothing came of it: the user's next event asks for it anew."""
        value = self._state.value()
        if value is not None:
            self._state.update(_TIMER.pack(NO_TIMER) + value[_TIMER.size :])


def still_armed(armed: int, fired: int) -> int:
    """A timer left behind may fire before the one that is registered."""
    return armed if armed > fired else NO_TIMER
