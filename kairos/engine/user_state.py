"""Everything known of one user, as one value. state_codec.py writes and reads it."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.engine.event import Event
from kairos.engine.pattern import Runs

STATE_VERSION = 3
"""1: events could not be merged. An engine of version 1 would take such ones for others, so it must not read them.
2: the events seen and the origin of runs were texts."""
_VERSION_BYTES, _SHAPE_BYTES = 8, 4
CALLED_BACK = "called_back"
"""Instead of a receipt: the attempt was recalled, and its worker has not answered yet."""


class ActivityRuns(msgspec.Struct, array_like=True, gc=False):
    """Open partial matches of one activity, by value of `per` ("" without). `origin`: the definition that made them."""

    origin: bytes
    parts: dict[str, Runs]

    @property
    def version(self) -> str:
        return self.origin[:_VERSION_BYTES].hex()

    @property
    def shape(self) -> bytes:
        return shape_of(self.origin)


def origin_of(version: str, shape: str) -> bytes:
    """Version and shape of a definition, both in hex digits; of the shape as many as are enough to notice another."""
    return bytes.fromhex(version + shape[: 2 * _SHAPE_BYTES])


def shape_of(origin: bytes) -> bytes:
    return origin[_VERSION_BYTES:]


class Case(msgspec.Struct, array_like=True, eq=False):
    """A match after it completed: held, tried on one channel after the other, waiting for its goal.

    `steps` keeps the slimmed events. `entry` is the index in `send` of the last attempt (-1: none yet). `held_until`,
    `fallback_at`: 0 when not set; `counted_from`: the receipt that the fallback's `after` counts from. `receipt`: the
    last attempt's best one, "" so far none. `keep_until`: until then a goal or a late event may concern it.
    """

    activity: str
    version: str
    occurrence: str
    part: str
    matched_at: int
    steps: dict[str, list[Event]]
    attempt: int = 0
    entry: int = -1
    channel: str = ""
    held_until: int = 0
    held_for: str = ""
    give_up: int = 0
    sent_at: int = 0
    fallback_at: int = 0
    counted_from: int = 0
    receipt: str = ""
    control: bool = False
    goal_met: bool = False
    reached: bool = False  # some attempt was `sent` or better: its reservations stay
    keep_until: int = 0
    once_was: int | None = None  # the activity's last send before this one, should this one be taken back
    closed: bool = False  # nothing more is tried
    freed: bool = False  # its reservations were given back
    undone: bool = False  # a late event showed that it should not have been decided
    priors: dict[str, Any] = {}  # metrics from before the event that completed the match, where some rule reads them

    @property
    def timed_out(self) -> bool:
        """Whether the next entry stands in for want of a receipt, not because the last one came to nothing."""
        return self.attempt > 0 and self.receipt not in ("failed", "released")

    @property
    def under_way(self) -> bool:
        """Whether the last attempt is with a worker that has not been heard of since."""
        return self.attempt > 0 and not self.receipt and not self.held_for

    @property
    def decided_at(self) -> int:
        return self.sent_at or self.matched_at


class Reservation(msgspec.Struct, array_like=True, gc=False):
    """One send that uses up caps."""

    at: int
    occurrence: str
    channel: str
    caps: tuple[str, ...]


class UserState(msgspec.Struct, array_like=True):
    """`applied_until` is the last instant applied (base); `tail` holds later events in order, not yet applied.

    `seen` has the events of the dedup horizon (seen.py); `metrics` "name@definition" -> cells; `once` activity -> time
    of its last send; `due` caches the earliest time at which base alone has something to do (0: none); `sweep_at` is
    when to look next for what has lapsed (0: nothing can). `timer`, for whoever keeps timers: the one that is
    registered for this user (0: none).
    """

    version: int = STATE_VERSION
    applied_until: int = 0
    due: int = 0
    tail: list[Event] = []
    seen: bytes = b""
    metrics: dict[str, Any] = {}
    runs: dict[str, ActivityRuns] = {}
    cases: list[Case] = []
    reservations: list[Reservation] = []
    once: dict[str, int] = {}
    sweep_at: int = 0
    timer: int = 0

    @property
    def empty(self) -> bool:
        return not (self.tail or self.seen or self.metrics or self.runs or self.cases or self.reservations or self.once)
