"""A threshold of calls a second."""

from __future__ import annotations

BURST_SECONDS = 0.1
"""How much of a second's calls may come at once after a pause."""


class TokenBucket:
    """`rate`: a second, above 0; it may be changed at any time. Times are ms."""

    def __init__(self, rate: float, now: int) -> None:
        self.rate = rate
        self._tokens = 1.0
        self._filled_at = now

    def take(self, now: int) -> int:
        """0: taken. Else in how many ms it is worth asking again."""
        most = max(1.0, self.rate * BURST_SECONDS)
        self._tokens = min(most, self._tokens + max(0, now - self._filled_at) * self.rate / 1000)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return max(1, int((1 - self._tokens) / self.rate * 1000) + 1)
