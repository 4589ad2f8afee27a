"""Group commit: while one batch is at work in a thread, requests queue; the next batch takes them all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from kairos.apps.delivery.clock import Clock

Execute = Callable[[Callable[[Any], Any], Any], Awaitable[Any]]
T = TypeVar("T")
R = TypeVar("R")

MOST = 2_000
"""Items of a batch."""
BACKOFF = (100, 5_000)

log = logging.getLogger(__name__)


class Batches(Generic[T, R]):
    """`work` blocks, and is called in one thread at a time; it must do a batch as a whole or raise.

    Raising `away` means: try again later, everybody waits; it is said once. Anything else is the fault of an item: each
    is then done alone, and who is at fault gets the exception. `execute` takes the place of the thread.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[T]], Sequence[R]],
        away: type[Exception],
        clock: Clock,
        execute: Execute | None = None,
    ) -> None:
        self._name, self._work, self._away, self._clock = name, work, away, clock
        self._queue: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._execute = execute or self._in_thread

    async def do(self, item: T) -> R:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append((item, future))
        if self._running is None:
            self._running = asyncio.ensure_future(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._queue:
                batch, self._queue = self._queue[:MOST], self._queue[MOST:]
                await self._one(batch)
        finally:
            self._running = None

    async def _one(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._insist([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1:
                for each in batch:
                    await self._one([each])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _insist(self, items: Sequence[T]) -> Sequence[R]:
        pause, longest = BACKOFF
        told = False
        while True:
            try:
                results: Sequence[R] = await self._execute(self._work, items)
            except self._away as error:
                if not told:
                    log.warning("%s: waiting: %s", self._name, error)
                told = True
                await self._clock.sleep(pause)
                pause = min(2 * pause, longest)
            else:
                if told:
                    log.warning("%s: goes on", self._name)
                return results

    async def _in_thread(self, work: Callable[[Any], Any], items: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, items)

    def close(self) -> None:
        """Stops: requests that still wait are not answered any more."""
        if self._running is not None:
            self._running.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
