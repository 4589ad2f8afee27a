"""How fast a source may send: a bucket of events that fills at the rate."""

from __future__ import annotations

import math

BURST_SECONDS = 2.0


class Bucket:
    """Holds two seconds' worth, one event at least. A batch larger than what is there is let in whole while there is
    anything, and leaves a debt: else one that is larger than the bucket could never come in. Times are ms."""

    def __init__(self, now: int) -> None:
        self._level = math.inf
        self._at = now

    def take(self, events: int, rate: float | None, now: int) -> int:
        """0: they have come in. Else the whole seconds until it is worth trying again. `rate` may differ each time."""
        seconds = self.wait(rate, now)
        if not seconds:
            self._level -= events
        return seconds

    def wait(self, rate: float | None, now: int) -> int:
        """What `take` would say; nothing is taken."""
        if rate is None:
            self._level, self._at = math.inf, now
            return 0
        gained = max(0, now - self._at) / 1000 * rate
        self._level, self._at = min(self._level + gained, max(1.0, rate * BURST_SECONDS)), now
        return max(1, math.ceil(-self._level / rate)) if self._level <= 0 else 0
