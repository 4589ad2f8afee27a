"""How many timers the job registers: `evaluate` itself, played without Flink, on a watermark as in a backlog.

Flink has no such figure, and the floor must register as many. One user in ten is played, each with all their events.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.kit.workload import Made
from kairos.adapters.rules.store import open_rule_store
from kairos.engine.settings import Settings
from operators.evaluate import Evaluate, EvaluateSettings
from operators.rules import Shipped

LATENESS = 2_000
WATERMARK_MS = 10_000
"""Event time between two watermarks when a backlog is read: a tenth of a second's events."""
USERS_TO_ONE = 10


class Timers:
    """All that Flink is to the operator. `registered`: how many timers were; one of a user and time that is registered
    again is the one that there is."""

    def __init__(self) -> None:
        self.registered = 0
        self.key = ""
        self.watermark = 0
        self._values: dict[str, bytes] = {}
        self._beside: dict[tuple[str, str], bytes] = {}
        self._waiting: list[tuple[int, str]] = []
        self._there: set[tuple[int, str]] = set()

    def get_state(self, _: object) -> Timers:
        return self

    def get_map_state(self, _: object) -> Timers:
        return self

    def get(self, name: str) -> bytes | None:
        return self._beside.get((self.key, name))

    def put(self, name: str, part: bytes) -> None:
        self._beside[self.key, name] = part

    def remove(self, name: str) -> None:
        self._beside.pop((self.key, name), None)

    def get_metrics_group(self) -> Timers:
        return self

    def add_group(self, _: str) -> Timers:
        return self

    def counter(self, _: str) -> Timers:
        return self

    def inc(self, _: int = 1) -> None:
        pass

    def value(self) -> bytes | None:
        return self._values.get(self.key)

    def update(self, value: bytes) -> None:
        self._values[self.key] = value

    def clear(self) -> None:
        self._values.pop(self.key, None)

    def get_broadcast_state(self, _: object) -> dict[str, bytes]:
        return {}

    def timer_service(self) -> Timers:
        return self

    def current_watermark(self) -> int:
        return self.watermark

    def get_current_key(self) -> str:
        return self.key

    def register_event_time_timer(self, time: int) -> None:
        if (timer := (time, self.key)) not in self._there:
            self.registered += 1
            self._there.add(timer)
            heapq.heappush(self._waiting, timer)

    def due(self) -> tuple[int, str] | None:
        """The next timer that the watermark has reached; the current key is its."""
        if not self._waiting or self._waiting[0][0] > self.watermark:
            return None
        timer = heapq.heappop(self._waiting)
        self._there.remove(timer)
        self.key = timer[1]
        return timer


def timers_an_event(rules: Path, made: Iterable[Made]) -> float:
    """`made`: in event-time order."""
    release = open_rule_store(str(rules)).latest(0)
    assert release is not None
    shipped = msgspec.msgpack.encode(Shipped(release, 0))
    function = Evaluate(shipped, EvaluateSettings(Settings(lateness=LATENESS), 0, 1_000), None, lambda: 1e12)
    flink: Any = Timers()
    function.open(flink)
    played = 0
    for user, moment, value in made:
        if int(user[1:]) % USERS_TO_ONE:
            continue
        played += 1
        if moment - LATENESS > flink.watermark + WATERMARK_MS:
            flink.watermark = moment - LATENESS - 1
            while (timer := flink.due()) is not None:
                list(function.on_timer(timer[0], flink))
        flink.key = user
        list(function.process_element((user, value, moment, "past.shop/0@0"), flink))
    function.close()
    registered: int = flink.registered
    return registered / played
