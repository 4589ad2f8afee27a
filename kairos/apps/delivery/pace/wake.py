"""How one waiting delivery hears that waiting is over."""

from __future__ import annotations

import asyncio
from typing import Any

from kairos.apps.delivery.clock import Clock


class Wake:
    """`recalled`: it must not go any more. `given_back`: the record is somebody else's now, or the worker stops."""

    def __init__(self) -> None:
        self.recalled = False
        self.given_back = False
        self._waiting: asyncio.Future[bool] | None = None

    def recall(self) -> None:
        self.recalled = True
        self._poke()

    def give_back(self) -> None:
        self.given_back = True
        self._poke()

    def _poke(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(False)

    async def wait(self, future: asyncio.Future[bool]) -> bool:
        """Until somebody answers, or it is woken: False."""
        self._waiting = future
        try:
            return await future
        finally:
            self._waiting = None

    async def sleep(self, clock: Clock, ms: int) -> None:
        """At most so long."""
        woken: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        sleep: asyncio.Future[Any] = asyncio.ensure_future(clock.sleep(ms))
        self._waiting = woken
        try:
            await asyncio.wait([woken, sleep], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting = None
            sleep.cancel()
