"""One at a time for each key, in the order of asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        before = self._last.get(key)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._last[key] = mine
        try:
            if before is not None:
                await asyncio.wait({before})  # unlike a plain await, a cancelled waiter leaves it alone
            yield
        finally:
            if before is None or before.done():
                mine.set_result(None)
            else:  # cancelled while waiting: who comes next waits for the one before
                before.add_done_callback(lambda _: mine.set_result(None))
            if self._last.get(key) is mine and mine.done():
                del self._last[key]
