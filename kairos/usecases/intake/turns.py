"""Whose request is read next: sources take turns, so that a flood of one waits behind itself.

All requests of a gateway share one event loop, and while one is read and normalised the others wait. In the order in
which they came, a source that sends ten times as much would be nine tenths of what everybody waits for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """One request a round of the event loop, so heads and answers of others come in between. `patience`: ms."""

    def __init__(self, patience: int, ticks: Callable[[], int]) -> None:
        """`ticks`: ms of a clock that is never set."""
        self._patience, self._ticks = patience, ticks
        self._lines: dict[str, deque[tuple[int, asyncio.Future[None]]]] = {}
        """Source -> since when each of its requests waits. The first source is the next."""

    def full(self, source: str) -> bool:
        """Whether a request of this source has waited for longer than `patience`: then another one would, too."""
        line = self._lines.get(source)
        return line is not None and self._ticks() - line[0][0] > self._patience

    async def next(self, source: str) -> None:
        """Returns when it is the turn of this request."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        if not self._lines:
            loop.call_soon(self._give)
        self._lines.setdefault(source, deque()).append((self._ticks(), turn))
        await turn

    def _give(self) -> None:
        source = next(iter(self._lines))
        line = self._lines.pop(source)
        _, turn = line.popleft()
        if line:
            self._lines[source] = line  # after all others
        if not turn.done():  # whoever asked may have gone
            turn.set_result(None)
        if self._lines:
            asyncio.get_running_loop().call_soon(self._give)
