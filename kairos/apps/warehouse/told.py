"""What the loader tells of itself, beside what it tells people."""

from __future__ import annotations

import time
from collections.abc import Callable

from kairos.adapters.metrics.declared import BROKEN, LAST_LOAD, LAST_POLL, ROWS, WAREHOUSE
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.warehouse.feed import Taken
from kairos.apps.status.health import SLOW_SECONDS, Health
from kairos.usecases.warehouse.follow import Broken, Feed, Tell
from kairos.usecases.warehouse.load import Loaded


class Told:
    """`clock`: epoch seconds."""

    def __init__(self, tell: Tell, broken: Broken, clock: Callable[[], float] = time.time) -> None:
        self.metrics, self.health = Metrics(WAREHOUSE), Health(SLOW_SECONDS)
        self._tell, self._broken, self._clock = tell, broken, clock

    def tell(self, done: Loaded) -> None:
        for table, rows in done.new.items():
            self.metrics.add(ROWS, rows, table=table)
        self.metrics.set(LAST_LOAD, self._clock())
        self._tell(done)

    def broken(self, place: str, reason: str) -> None:
        self.metrics.add(BROKEN)
        self._broken(place, reason)

    def watched(self, feed: Feed) -> Feed:
        return _Watched(feed, self._polled)

    def _polled(self) -> None:
        self.metrics.set(LAST_POLL, self._clock())
        self.health.works()


class _Watched:
    """The feed; `polled` hears of each time that it has answered."""

    def __init__(self, feed: Feed, polled: Callable[[], None]) -> None:
        self._feed, self._polled = feed, polled

    def take(self, seconds: float) -> list[Taken]:
        taken = self._feed.take(seconds)
        self._polled()
        return taken

    def commit(self) -> None:
        self._feed.commit()

    def at_end(self) -> bool:
        return self._feed.at_end()
