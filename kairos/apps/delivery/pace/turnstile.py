"""Who may call the provider now: so many at once, so many a second, nobody while paused; first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque

from kairos.apps.delivery.clock import Clock
from kairos.apps.delivery.pace.rate import TokenBucket
from kairos.apps.delivery.pace.wake import Wake


class Turnstile:
    """Lives in one event loop. `set` and `pause` act at once, on those who wait as well."""

    def __init__(self, clock: Clock, concurrency: int) -> None:
        self._clock = clock
        self._free = concurrency
        self._bucket: TokenBucket | None = None
        self._paused = False
        self._waiting: deque[tuple[int, asyncio.Future[bool]]] = deque()
        self._timer: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def set(self, rate: float | None, *, paused: bool) -> None:
        """`rate`: calls a second of this worker; None: no threshold. 0 lets nobody through."""
        self._paused = paused or rate == 0
        if not rate:
            self._bucket = None
        elif self._bucket is None:
            self._bucket = TokenBucket(rate, self._clock.now())
        else:
            self._bucket.rate = rate
        self._admit()

    def pause(self) -> None:
        self._paused = True

    async def enter(self, wake: Wake, until: int) -> bool:
        """True: the caller is inside, and must `leave`. False: woken, or `until` is over, which `sweep` sees."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((until, future))
        self._admit()
        try:
            return await wake.wait(future)
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.result():
                self.leave()
            raise

    def leave(self) -> None:
        self._free += 1
        self._admit()

    def sweep(self) -> None:
        """Sends away those whose time is over. To be called about once a second."""
        now = self._clock.now()
        for until, future in self._waiting:
            if until < now and not future.done():
                future.set_result(False)
        self._admit()

    def _admit(self) -> None:
        while self._waiting and not self._paused:
            _, future = self._waiting[0]
            if not future.done():
                if not self._free:
                    return
                if self._bucket is not None and (ms := self._bucket.take(self._clock.now())):
                    self._ask_again(ms)
                    return
                self._free -= 1
                future.set_result(True)
            self._waiting.popleft()
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()

    def _ask_again(self, ms: int) -> None:
        if self._timer is None:
            self._timer = asyncio.ensure_future(self._after(ms))

    async def _after(self, ms: int) -> None:
        await self._clock.sleep(ms)
        self._timer = None
        self._admit()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
