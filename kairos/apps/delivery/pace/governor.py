"""Carries what people set, and that other workers live, to the gate: looks once a second, acts at once."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.delivery.controls import Control, Controls
from kairos.apps.delivery.clock import Clock
from kairos.apps.delivery.pace.turnstile import Turnstile

log = logging.getLogger(__name__)

BACKOFF = (200, 5_000)


class Governor:
    """Of one worker. Until the first look has gone well nobody passes the gate; while the database is away the last one
    counts."""

    def __init__(self, controls: Controls, gate: Turnstile, channel: str, worker: str, clock: Clock) -> None:
        self._controls, self._gate, self._clock = controls, gate, clock
        self._channel, self._worker = channel, worker
        self._pauses = 0
        self._pausing: asyncio.Task[None] | None = None
        self._seen: Control | None = None
        gate.pause()

    async def look(self) -> None:
        began = self._pauses
        try:
            control, alive = await asyncio.to_thread(self._ask)
        except DatabaseAwayError:
            return  # the ledger itself says so
        if self._pausing is None and began == self._pauses:  # else the answer may be older than the pause
            self._gate.set(None if control.rate is None else control.rate / alive, paused=control.paused)
            self._tell(control)

    def _ask(self) -> tuple[Control, int]:
        alive = self._controls.beat(self._worker, self._channel, self._clock.now())
        return self._controls.read(self._channel), alive

    def _tell(self, control: Control) -> None:
        before = self._seen or Control(self._channel)
        if control.paused and not before.paused:
            reason = control.reason or "no reason given"
            log.warning("%s is paused by %s: %s", self._channel, control.changed_by, reason)
        elif before.paused and not control.paused:
            log.warning("%s goes on: resumed by %s", self._channel, control.changed_by)
        if control.rate != before.rate:
            rate = "no threshold" if control.rate is None else f"{control.rate:g} a second"
            log.warning("%s: %s, set by %s", self._channel, rate, control.changed_by)
        self._seen = control

    async def pause(self, channel: str, reason: str) -> None:
        """Pauses the channel for all workers; returns when that is written. Many calls at once are one."""
        self._gate.pause()
        if self._pausing is None:
            log.error("%s is paused: %s. Mend it, then `kairos channel resume %s`", channel, reason, channel)
            self._pausing = asyncio.create_task(self._write(channel, reason))
        await asyncio.shield(self._pausing)

    async def _write(self, channel: str, reason: str) -> None:
        wait, longest = BACKOFF
        try:
            while True:
                try:
                    now = self._clock.now()
                    await asyncio.to_thread(self._controls.pause, channel, reason, f"worker {self._worker}", now)
                    return
                except DatabaseAwayError:
                    await self._clock.sleep(wait)
                    wait = min(2 * wait, longest)
        finally:
            self._pauses += 1
            self._pausing = None

    async def leave(self) -> None:
        """Ends this worker's heartbeat, so that the others get its share of the rate at once."""
        with suppress(DatabaseAwayError):  # then it is forgotten after some seconds
            await asyncio.to_thread(self._controls.leave, self._worker)
