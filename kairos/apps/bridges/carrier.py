"""Carries from a feed into Kafka, for as long as the source is on; what cannot be carried now stays where it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from kairos.apps.bridges.feed import IDLE_SECONDS, Feed, FeedLostError
from kairos.apps.logs import Trouble
from kairos.apps.status.health import Health
from kairos.backoff import Backoff
from kairos.usecases.intake.batch import Item
from kairos.usecases.intake.intake import Intake, UnavailableError
from kairos.usecases.intake.registry import Door, Registry

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0

log = logging.getLogger(__name__)

Pause = Callable[[float], Awaitable[object]]


class Carrier:
    """`name`: what it carries from, for people. `clock`: epoch ms. `pause`: seconds, cut short by `stop`; for tests."""

    def __init__(
        self,
        name: str,
        source: str,
        registry: Registry,
        intake: Intake,
        clock: Callable[[], int],
        stop: asyncio.Event,
        pause: Pause | None = None,
        health: Health | None = None,
    ) -> None:
        self._name = name
        self._source = source
        self._registry = registry
        self._intake = intake
        self._clock = clock
        self._stop = stop
        self._pause = pause or self._until_stop
        self._health = health or Health()
        self._trouble = Trouble(log)
        self._backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)

    async def run(self, open_feed: Callable[[], Awaitable[Feed]]) -> None:
        """Until `stop`; the batch under way is finished, unless Kafka does not take it."""
        while not self._stop.is_set():
            if self._door() is None:
                await self._pause(IDLE_SECONDS)
                continue
            try:
                await self._carry_from(await open_feed())
            except FeedLostError as error:
                await self._after(str(error))

    async def _carry_from(self, feed: Feed) -> None:
        """Until `stop`, or the source is off."""
        log.info("%s: is carried into events.%s", self._name, self._source)
        self._health.works()
        try:
            while not self._stop.is_set() and self._door() is not None:
                items = await feed.take()
                self._health.turn()
                if not items:
                    continue
                if not await self._delivered(items):
                    return  # from here on `done` would be a lie
                await feed.done()
                self._goes_on()
        finally:
            await feed.close()

    async def _delivered(self, items: Sequence[Item]) -> bool:
        """False: the source was switched off meanwhile, or `stop` was said; Kafka may have some of them."""
        admitted = False
        while not self._stop.is_set() and (door := self._door()) is not None:
            self._health.turn()
            if not admitted and (seconds := door.bucket.take(len(items), door.entry.access.rate, self._clock())):
                await self._pause(min(seconds, 1.0))
                continue
            admitted = True
            try:
                await self._intake.take(door, items)
                return True
            except UnavailableError as error:
                await self._after(str(error))
        return False

    def _door(self) -> Door | None:
        """None, and it is said why: nothing may be taken now."""
        door = self._registry.named(self._source)
        if door is not None and door.entry.source.enabled:
            return door
        if door is not None:
            self._tell(f"source '{self._source}' is switched off")
        elif self._registry.ready:
            self._tell(f"there is no source '{self._source}'; `kairos source add` makes one")
        return None

    async def _after(self, trouble: str) -> None:
        """Longer and longer, until something goes well again."""
        self._tell(trouble)
        await self._pause(self._backoff.pause())

    def _tell(self, trouble: str) -> None:
        """Once for as long as it lasts."""
        self._health.waits(trouble)
        self._trouble.comes(f"{self._name}: {trouble}; it waits")

    def _goes_on(self) -> None:
        self._health.works()
        if self._trouble.goes():
            log.info("%s: goes on", self._name)
        self._backoff.reset()

    async def _until_stop(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
