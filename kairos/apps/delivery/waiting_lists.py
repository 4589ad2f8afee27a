"""Lists for the worker: waits through every absence of where they are kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from kairos.adapters.profiles.lists import Lists, ListsAwayError
from kairos.apps.delivery.clock import Clock

BACKOFF = (200, 5_000)
T = TypeVar("T")

log = logging.getLogger(__name__)


class WaitingLists:
    def __init__(self, lists: Lists, clock: Clock) -> None:
        self._lists, self._clock = lists, clock
        self._away = False

    async def dead_address(self, user_id: str, address: str) -> None:
        await self._insist(lambda: self._lists.dead_address(user_id, address))

    async def opted_out(self, user_id: str, channel: str) -> None:
        await self._insist(lambda: self._lists.opted_out(user_id, channel))

    async def refuses(self, user_id: str, topic: str) -> bool:
        return await self._insist(lambda: self._lists.refuses(user_id, topic))

    async def _insist(self, ask: Callable[[], T]) -> T:
        wait, longest = BACKOFF
        while True:
            try:
                answer = await asyncio.to_thread(ask)
            except ListsAwayError as error:
                if not self._away:
                    log.warning("waiting: %s", error)
                self._away = True
                await self._clock.sleep(wait)
                wait = min(2 * wait, longest)
            else:
                self._away = False
                return answer
