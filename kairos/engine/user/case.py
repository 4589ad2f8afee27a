"""What is kept of one match after it completed, and every change of it. When which change is made: `case/table.py`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from kairos.engine.event import Event

CALLED_BACK = "called_back"
"""Instead of a receipt: the attempt was recalled, and its worker has not answered yet."""
CAME_TO_NOTHING = frozenset({"recalled", "released", "failed", "expired"})
"""Receipts of an attempt that nobody got."""
RANK = {"": 0, "unknown": 1, "sent": 1, "delivered": 2, "read": 3, "clicked": 4}
"""How far an attempt got, by receipt: each implies those before it. `unknown`: nobody can say whether it went."""


class Stage:
    """Where a case stands. Follows from its fields, so it is not kept. (Plain texts: an Enum is slow to look up.)"""

    NEW: Final = "new"
    """Matched; the gates have not been asked. Only within an instant."""
    GHOST: Final = "ghost"
    """In the control group, and still to compete for a slot when its message would (`matching`)."""
    HELD: Final = "held"
    """A gate said: not now, or it waits for others of its group. The first message, or one that stands in."""
    UNDER_WAY: Final = "under way"
    """With a delivery worker, which has not been heard of since."""
    CALLED_BACK: Final = "called back"
    """Recalled; whether in time, the worker has not said yet."""
    SENT: Final = "sent"
    """It has gone, or may have. Another entry may stand in for it once that is due."""
    FAILED: Final = "failed"
    """The last attempt came to nothing: the next entry is due."""
    CONTROL: Final = "control"
    """In the control group: nothing is sent, the goal is waited for."""
    NOTED: Final = "noted"
    """A match of an activity that sends nothing."""
    CLOSED: Final = "closed"
    """Nothing more is tried."""


class Told(msgspec.Struct, array_like=True, eq=False):
    """One attempt of a case whose messages somebody listens to: what its events say, and which there were (bits)."""

    attempt: int
    channel: str
    variant: str | None
    data: dict[str, Any]
    known: int = 0

    def tell(self, bit: int) -> bool:
        """Whether this event (a bit) has not been told yet; from now on it has."""
        new = not self.known & bit
        self.known |= bit
        return new


class Case(msgspec.Struct, array_like=True, eq=False):
    """A match after it completed: held, tried on one channel after the other, waiting for its goal.

    `steps` keeps the slimmed events. `entry` is the index in `send` of the last attempt (-1: none yet). `held_until`,
    `fallback_at`: 0 when not set; `counted_from`: the receipt that the fallback's `after` counts from. `receipt`: the
    last attempt's best one, "" so far none. `keep_until`: until then a goal or a late event may concern it. `told`: of
    each attempt, where anybody listens to what becomes of it.
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
    closed: bool = False
    freed: bool = False  # its reservations were given back
    undone: bool = False  # a late event showed that it should not have been decided
    priors: dict[str, Any] = {}  # metrics from before the event that completed the match, where some rule reads them
    told: list[Told] = []
    collected: str = ""  # the group in whose window it waits for the others
    spent: int = 0  # of a shared budget, in its units

    # ---------------------------------------------------------------------------------------------- where it stands
    @property
    def stage(self) -> str:
        if self.receipt == CALLED_BACK:
            return Stage.CALLED_BACK
        if self.closed:
            return Stage.CLOSED
        if self.control and self.held_until:
            return Stage.GHOST
        if self.held_for or self.collected:
            return Stage.HELD
        if self.attempt:
            if not self.receipt:
                return Stage.UNDER_WAY
            return Stage.FAILED if self.receipt in ("failed", "released") else Stage.SENT
        if self.control:
            return Stage.CONTROL
        return Stage.NOTED if self.sent_at else Stage.NEW

    @property
    def timed_out(self) -> bool:
        """Whether the next entry stands in for want of a receipt, not because the last one came to nothing."""
        return self.attempt > 0 and self.receipt not in ("failed", "released")

    @property
    def unheard_of(self) -> bool:
        """Whether no receipt has come since the last attempt went to a worker."""
        return self.attempt > 0 and not self.receipt and not self.held_for

    @property
    def is_called_back(self) -> bool:
        return self.receipt == CALLED_BACK

    @property
    def reached_nobody(self) -> bool:
        """Whether all that was sent so far is known to have come to nothing."""
        return self.attempt > 0 and not self.reached and self.receipt in CAME_TO_NOTHING

    @property
    def is_waiting(self) -> bool:
        """Whether a message is held, or another entry will stand in."""
        return bool(self.held_until or self.fallback_at)

    @property
    def may_still_go(self) -> bool:
        return not self.closed and bool(self.held_until or self.attempt)

    @property
    def decided_at(self) -> int:
        return self.sent_at or self.matched_at

    def due_by(self, instant: int) -> bool:
        return 0 < self.held_until <= instant or 0 < self.fallback_at <= instant

    # --------------------------------------------------------------------------------------------- what the gates say
    def come_due(self) -> None:
        """The gates are about to be asked; a hold stays in place until they have answered."""
        self.fallback_at = 0

    def hold(self, until: int, reason: str, give_up: int) -> None:
        """`give_up`: when a cap's patience ends; 0 leaves it as it is. Of the control group: it competes then."""
        self.held_until, self.held_for, self.collected = until, reason, ""
        self.give_up = give_up or self.give_up

    def collect(self, group: str, until: int) -> None:
        """It may go, and waits for those that it has to compete with. What it was held for stays known."""
        self.held_until, self.collected = until, group

    def wait_longer(self, after: int) -> None:
        """The entry that is left stands in only so long (ms) after the receipt that is counted from."""
        self.fallback_at = self.counted_from + after

    def send(self, entry: int, channel: str, now: int) -> None:
        if self.attempt == 0:
            self.sent_at = now
        self.attempt += 1
        self.entry, self.channel = entry, channel
        self._stop_waiting()
        self.receipt = ""

    def enter_control(self, now: int) -> None:
        self.control, self.sent_at = True, now
        self._stop_waiting()

    def note(self, now: int) -> None:
        self.sent_at = now

    def close(self) -> None:
        self._stop_waiting()
        self.closed = True

    def listen(self, variant: str | None, data: dict[str, Any]) -> None:
        """Somebody listens to what becomes of the attempt just made."""
        self.told.append(Told(self.attempt, self.channel, variant, data))

    # --------------------------------------------------------------------------------------------- what receipts say
    def arrive(self, status: str) -> None:
        """`status`: one of `RANK`. The best one stays."""
        self.reached = True
        if self.receipt == "failed" and RANK[status] < RANK["delivered"]:
            return  # said again, after it is known what became of it
        if RANK[status] >= RANK.get(self.receipt, 0):
            self.receipt = status

    def arrive_earlier(self) -> None:
        """An attempt before the last one turned out to have gone."""
        self.reached = True

    def end_attempt(self, status: str) -> None:
        """Notes how the attempt ended; no further receipt of it is expected."""
        self.receipt = status

    def stand_in(self, since: int, after: int) -> None:
        """The next entry stands in `after` ms from `since`, unless a better receipt comes."""
        self.counted_from, self.fallback_at = since, since + after

    def stand_in_now(self, now: int) -> None:
        self.fallback_at = now

    def need_no_other(self) -> None:
        self.fallback_at = 0

    def hand_back(self, now: int) -> None:
        """The delivery was not made because quiet hours had begun: the same entry is asked about again."""
        self.receipt = "released"
        self.entry -= 1
        self.fallback_at = now

    def call_back(self) -> None:
        self.receipt = CALLED_BACK

    # ------------------------------------------------------------------------------------------------ what else happens
    def meet_goal(self) -> None:
        self.goal_met = True

    def undo(self) -> None:
        self.undone = True

    def ask_by(self, time: int) -> None:
        """A slot is free: a hold is asked about at this time, if not earlier."""
        self.held_until = min(self.held_until, time)

    def keep(self, until: int) -> None:
        self.keep_until = max(self.keep_until, until)

    def count_after(self, once_was: int | None) -> None:
        """`once_was`: the activity's last send before this one."""
        self.once_was = once_was

    def free(self) -> None:
        self.freed = True

    def spend(self, units: int) -> None:
        self.spent = units

    def _stop_waiting(self) -> None:
        self.held_until = self.fallback_at = self.give_up = 0
        self.held_for = self.collected = ""
