"""Which sources a gateway refuses while it, or Kafka, is slow.

First goes what a source sends beyond its usual, of the least urgent source first; only where that does not suffice,
the usual goes too, in the same order. Among sources of one priority the largest give way first, until all have the
same.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from kairos.usecases.intake.rate import Bucket
from kairos.usecases.intake.registry import Door

WINDOW_MS = 500
"""How often it is judged whether all is slow."""
CALM_MS = 10_000
"""So long after the last refusal the limit is gone, and so long a source that was refused counts as wanting more."""
LATELY_MS = 2_000
USUAL_MS = 300_000
"""Over how long a source's rate is averaged: the present one, and its usual."""
PATIENCE = 2
"""Slow windows, one after the other, before anybody is refused: a start, or an election of Kafka's, is not overload."""
CUT, HALF = 0.7, 0.5
"""What may come in after a slow window: so much of what was got done, and never less than half of what came in."""
GROWTH, RETURN = 1.05, 1.5
"""How that grows in a window in which nothing was slow: fast up to what is known to be got done, then, where somebody
was refused, slowly, to find how much is too much."""
MANY = 500
"""Events of a request up to which it may take `slow`; one with more may take as much longer, as it has more to do."""
LEAST = 10.0
"""Events a second that are always let in: else it would not be seen that all is well again."""

log = logging.getLogger(__name__)


class Demand(NamedTuple):
    """What a source sends, events a second. `rate` inf: more than it is let."""

    priority: int
    rate: float
    usual: float


def shares(limit: float, demands: Mapping[str, Demand]) -> dict[str, float]:
    """Events a second of the sources that cannot have all they want. With those of the others: `limit` at most."""
    usual = {name: min(demand.rate, demand.usual) for name, demand in demands.items()}
    beyond = {name: demand.rate - usual[name] for name, demand in demands.items()}
    given = dict.fromkeys(demands, 0.0)
    urgent = sorted({demand.priority for demand in demands.values()}, reverse=True)
    for wants in (usual, beyond):
        for priority in urgent:
            some = {name: want for name, want in wants.items() if demands[name].priority == priority}
            for name, share in _even(limit, some).items():
                given[name] += share
                limit -= share
    return {name: share for name, share in given.items() if share < demands[name].rate}


def _even(limit: float, wants: Mapping[str, float]) -> dict[str, float]:
    """No more than each wants, and all who want more have the same (max-min fair)."""
    given, left = {}, max(0.0, limit)
    for number, name in enumerate(sorted(wants, key=wants.__getitem__)):
        given[name] = min(wants[name], left / (len(wants) - number))
        left -= given[name]
    return given


class _Flow:
    """One source. `sent`: events that were let in in this window. `refused`: when it last was. `share`: events a
    second; None: as much as it likes."""

    def __init__(self, now: int) -> None:
        self.priority = 0
        self.sent = 0
        self.refused = -math.inf
        self.rate, self.usual = 0.0, 0.0
        self.share: float | None = None
        self.bucket = Bucket(now)

    def measure(self, elapsed: int, age: int, *, learn: bool) -> None:
        """Ends a window. `age`: how long it has been watched; a usual of less than its time is the mean."""
        rate, self.sent = self.sent * 1000 / elapsed, 0
        self.rate += (rate - self.rate) * _weight(elapsed, LATELY_MS)
        if learn:
            self.usual += (rate - self.usual) * max(_weight(elapsed, USUAL_MS), elapsed / age)

    def demand(self, now: int) -> Demand:
        return Demand(self.priority, math.inf if now - self.refused < CALM_MS else self.rate, self.usual)


def _weight(elapsed: int, over: int) -> float:
    """Of the newest of a moving average."""
    return -math.expm1(-elapsed / over)


class Shedding:
    """Of one gateway. `slow`: ms that every request of a window takes at least when all is slow.

    Times are ms of a clock that is never set: one that was put forward would make every request slow.
    """

    def __init__(self, slow: int, now: int) -> None:
        self._slow = slow
        self._born: int | None = None
        """When the first events came: what is usual is nothing that came before."""
        self._since = now
        self._flows: dict[str, _Flow] = {}
        self._in_hand: dict[int, int] = {}
        """A number for each request that waits for Kafka -> since when."""
        self._number = 0
        self._quickest: float | None = None
        """ms of a request that came to a good end in this window; None: none did."""
        self._in_vain = 0
        """The longest that one took in this window, ms, which came to no good end: it would have taken longer still."""
        self._done = 0
        """Events that came to a good end in this window."""
        self._pace = 0.0
        """The same a second, lately: as much as can be done, when all is slow."""
        self._limit: float | None = None
        self._known = 0.0
        """So much was got done when it began to be slow, and a bit less: more than what a standstill cuts it to."""
        self._slow_windows = 0

    def lets(self, door: Door, now: int, events: int = 0) -> bool:
        """Whether this source is let in now; then its `events` count as let in."""
        self._look(now)
        flow = self._flow(door, now)
        if flow.bucket.take(events, flow.share, now) if events else flow.bucket.wait(flow.share, now):
            flow.refused = now
            return False
        flow.sent += events
        if events and self._born is None:
            self._born = now
        return True

    @contextmanager
    def working(self, events: int, begun: int, clock: Callable[[], int]) -> Iterator[None]:
        """While a request waits for Kafka. `begun`: when it was there."""
        number = self._number
        self._number += 1
        self._in_hand[number] = begun
        try:
            yield
        except BaseException:
            self._in_vain = max(self._in_vain, clock() - begun)
            raise
        else:
            took = (clock() - begun) * MANY / max(MANY, events)
            self._quickest = took if self._quickest is None else min(self._quickest, took)
            self._done += events
        finally:
            del self._in_hand[number]
            self._look(clock())

    def _flow(self, door: Door, now: int) -> _Flow:
        flow = self._flows.get(door.name)
        if flow is None:
            flow = self._flows[door.name] = _Flow(now)
        flow.priority = door.entry.access.priority
        return flow

    def _look(self, now: int) -> None:
        """At the end of a window."""
        elapsed = now - self._since
        if elapsed < WINDOW_MS:
            return
        age = now - self._since if self._born is None else max(elapsed, now - self._born)
        for flow in self._flows.values():
            flow.measure(elapsed, age, learn=self._limit is None)
        self._pace += (self._done * 1000 / elapsed - self._pace) * _weight(elapsed, LATELY_MS)
        before, self._limit = self._limit, self._next_limit(now)
        self._since, self._quickest, self._in_vain, self._done = now, None, 0, 0
        cut = {}
        if self._limit is not None:
            cut = shares(self._limit, {name: flow.demand(now) for name, flow in self._flows.items()})
        for name, flow in self._flows.items():
            flow.share = max(cut[name], 1 / CALM_MS) if name in cut else None
        self._tell(before, cut)

    def _next_limit(self, now: int) -> float | None:
        slow = self._waited(now) > self._slow
        self._slow_windows = self._slow_windows + 1 if slow else 0
        if slow:
            if self._slow_windows == 1:
                self._known = CUT * self._pace
            if self._limit is None and self._slow_windows < PATIENCE:
                return None
            came = self._limit or sum(flow.rate for flow in self._flows.values())
            return max(LEAST, CUT * self._pace, HALF * came)
        last = max((flow.refused for flow in self._flows.values()), default=-math.inf)
        if self._limit is None or now - last > CALM_MS:
            return None
        known = max(self._known, sum(flow.usual for flow in self._flows.values()))
        found = self._limit * GROWTH if last >= self._since else self._limit
        return max(found, min(self._limit * RETURN, known))

    def _waited(self, now: int) -> float:
        """The quickest of the window; where none came to a good end, the longest that one has waited in vain or waits
        still."""
        if self._quickest is not None:
            return self._quickest
        return max(self._in_vain, now - min(self._in_hand.values(), default=now))

    def _tell(self, before: float | None, cut: Mapping[str, float]) -> None:
        if before is None and self._limit is not None:
            whom = ", ".join(f"'{name}' to {share:.0f}" for name, share in sorted(cut.items())) or "none yet"
            log.warning("slow: %.0f events a second are let in at most; cut: %s", self._limit, whom)
        elif before is not None and self._limit is None:
            log.warning("no longer slow: no source is shed")
