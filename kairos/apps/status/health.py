"""Whether a process lives, and whether it can do its work."""

from __future__ import annotations

import time
from collections.abc import Callable

BEGINNING = "it begins"
PATIENCE_SECONDS = 120.0
"""So long after the last turn of its loop a process counts as stuck: longer than any call that a loop waits for."""
SLOW_SECONDS = 1_800.0
"""The same for loops with turns that read all people, or write many rows."""


class Health:
    """Told by the loop of a process, asked by whoever watches it. `clock`: seconds, monotonic."""

    def __init__(self, patience: float = PATIENCE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._clock = patience, clock
        self._turned: float | None = None
        self.hindrance: str | None = BEGINNING
        """Why it cannot work now; None: it can. What it waits for comes back by itself, so nobody restarts it."""
        self.beside: str | None = None
        """Who does the work in its place; None: nobody, it does."""

    def turn(self) -> None:
        """The loop has come round."""
        self._turned = self._clock()

    def works(self) -> None:
        self.hindrance = self.beside = None
        self.turn()

    def stands_by(self, why: str) -> None:
        """Another does the work, which is as it should be."""
        self.hindrance, self.beside = None, why
        self.turn()

    def waits(self, why: str) -> None:
        self.hindrance = why
        self.turn()

    @property
    def stuck(self) -> bool:
        """Only what has turned once can be stuck: before, it may wait long for what it needs to begin."""
        return self._turned is not None and self._clock() - self._turned > self._patience
