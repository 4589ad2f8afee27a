"""A deadline that an event brings to light only after it has passed does not fire at once.

What a device did hours ago comes all together: the order, and then that it was paid. When the order is read, the
deadline of its reminder has long passed, but the event that forbids it is next in line. So the user's time stands
still at such a deadline: until the watermark has moved on by `Settings.patience`, a little longer with each further
event that comes from behind the watermark, and then once more, so that a jump of the watermark between two records is
not taken for time that has passed. Everything hangs on the watermark and on what is kept: a restore changes nothing.
"""

from __future__ import annotations

from kairos.engine.user.state import UserState

AT_MOST = 10
"""Times `patience`: so long a user's time stands still, whatever goes on coming."""


def begin(state: UserState, watermark: int, patience: int) -> None:
    state.waits_since, state.waits_until = watermark, watermark + max(1, patience)


def prolong(state: UserState, watermark: int, patience: int) -> None:
    """Waits a little longer, because another event has come from behind the watermark."""
    if state.waits_since:
        until = min(watermark + patience, state.waits_since + AT_MOST * patience)
        state.waits_until = max(state.waits_until, until)


def is_over(state: UserState, watermark: int) -> bool:
    """Whether the wait is over. Asked whenever the watermark has moved; the first time that it is far enough does not
    count."""
    if watermark < state.waits_until:
        return False
    if state.waits_since:
        state.waits_since, state.waits_until = 0, watermark + 1
        return False
    state.waits_until = 0
    return True
