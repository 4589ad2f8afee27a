"""Waiting for what does not answer: longer and longer, so that it is not kept down by those who ask."""

from __future__ import annotations


class Backoff:
    """Pauses in seconds: `shortest` at first, then twice as long each time, `longest` at most."""

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest, self._longest = shortest, longest
        self._next = shortest

    def pause(self) -> float:
        """How long to wait now."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        return pause

    def reset(self) -> None:
        """It went well: the next pause is short again."""
        self._next = self._shortest
