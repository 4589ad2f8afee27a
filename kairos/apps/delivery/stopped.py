"""Activities that were paused or ended after their messages had been decided: what waits of them goes no more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from kairos.adapters.rules.store import RuleStoreError
from kairos.apps.delivery.clock import Clock, WallClock
from kairos.apps.logs import Trouble
from kairos.engine.rule.changes.switch import Position, Switches
from kairos.engine.rule.journey import journey_of

log = logging.getLogger(__name__)


class Stopped:
    """`look_up`: how the switches stand, asked by `refresh`; none in a run on files, whose messages reach nobody."""

    def __init__(self, look_up: Callable[[], Switches] = Switches, clock: Clock | None = None) -> None:
        self._look_up, self._clock = look_up, clock or WallClock()
        self._switches = Switches()
        self._trouble = Trouble(log, "switches: %s")

    def state(self, activity: str) -> Position | None:
        """None: it is live."""
        stands = self._switches.at(journey_of(activity), self._clock.now())
        return None if stands == "live" else stands

    async def refresh(self) -> None:
        """While the database is away what was known holds; it is said once."""
        try:
            self._switches = await asyncio.to_thread(self._look_up)
            self._trouble.goes()
        except RuleStoreError as error:
            self._trouble.comes(error)
