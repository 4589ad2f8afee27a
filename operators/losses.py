"""Looks now and then whether records were deleted that somebody had still to read; the first look is at the start."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

import msgspec

from kairos.engine.loss import Loss
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)

EVERY_SECONDS = 10

LookForLosses = Callable[[], Sequence[Loss]]
"""Those that were not found before. Raises on any trouble."""


class Losses:
    """What was lost goes the way of the releases: it is announced, counted and logged; trouble in looking is, too.

    A thread of its own looks: whoever cannot reach Kafka waits for a long time, and nothing may wait for him.
    """

    def __init__(self, open_look: Callable[[], LookForLosses], telemetry: Telemetry) -> None:
        self._open = open_look
        self._look: LookForLosses | None = None
        self._telemetry = telemetry
        self._found: SimpleQueue[Loss | None] = SimpleQueue()
        self._trouble = ""
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._watch, name="losses", daemon=True).start()

    def close(self) -> None:
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.search()
            self._stop.wait(EVERY_SECONDS)

    def search(self) -> None:
        """Looks once, in whatever thread."""
        try:
            self._look = self._look or self._open()
            found = self._look()
        except Exception as error:  # whatever ails Kafka must not end the job
            self._found.put(None)
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.error("nobody knows whether records are lost: %s", error)
            return
        self._trouble = ""
        for loss in found:
            log.error("lost: %s", loss.told)
            self._found.put(loss)

    def announced(self) -> Iterator[bytes]:
        """What was found since the last call. Counts: to be called in the task's own thread."""
        while not self._found.empty():
            loss = self._found.get()
            if loss is None:
                self._telemetry.count("lost", "unwatched")
            else:
                self._telemetry.count("lost", "records", loss.last - loss.first + 1)
                yield msgspec.msgpack.encode(loss)
