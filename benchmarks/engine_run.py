"""Our side of benchmarks/engine.py: `python -m benchmarks.engine_run RULES file EVENTS`, or for what is in Kafka
`python -m benchmarks.engine_run RULES kafka BOOTSTRAP TOPIC COUNT TOTAL`.

The engine as the job drives it, without Flink and its state: each line is decoded and handed to its user's state with
the watermark behind it, and each user has one timer, for the earliest time at which something could happen.
"""

from __future__ import annotations

import heapq
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from confluent_kafka import Consumer

from benchmarks.peers.meter import Meter
from kairos.adapters.rules.files import read_folder
from kairos.engine.decision import Record
from kairos.engine.effect import Effect
from kairos.engine.engine import Engine
from kairos.engine.event import END_OF_TIME, decode
from kairos.engine.profile.port import Profiles
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.load import load
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings
from kairos.engine.user.state import UserState

AT_ONCE = 1_000


class Users:
    """States and timers of all users in memory, and an engine over them."""

    def __init__(self, rules: Path, settings: Settings | None = None, profiles: Profiles | None = None) -> None:
        settings = settings or Settings()
        loaded = load(read_folder(rules)).rules
        assert loaded is not None
        self._engine = Engine(settings, profiles)
        self._engine.adopt(compile_release(Release(1, loaded), max_runs=settings.max_runs, script=self._engine.script))
        self._lateness = settings.lateness + 1
        self._states: dict[str, UserState] = {}
        self._armed: dict[str, int] = {}
        self._timers: list[tuple[int, str]] = []
        self._registered: set[tuple[int, str]] = set()
        self.results: list[Effect] = []

    def play(self, lines: Iterable[bytes]) -> None:
        """Lines in the order of event time."""
        engine, states, timers = self._engine, self._states, self._timers
        for line in lines:
            event = decode(line)
            watermark = event.time - self._lateness
            if timers and timers[0][0] <= watermark:
                self.fire(watermark)
            if not engine.reads(event.type):
                continue
            user = event.user_id
            state = states.get(user)
            if state is None:
                state = states[user] = UserState()
            self.results += engine.on_event(user, state, event, watermark)
            self._arm(user, state)

    def fire(self, watermark: int) -> None:
        while self._timers and self._timers[0][0] <= watermark:
            due, user = timer = heapq.heappop(self._timers)
            self._registered.remove(timer)
            if self._armed.get(user) == due:
                del self._armed[user]
            state = self._states[user]
            self.results += self._engine.on_time(user, state, min(watermark, END_OF_TIME))
            self._arm(user, state)

    def tell(self, meter: Meter) -> None:
        meter.tell(
            [(record.activity, record.user_id, record.at) for record in self.results if isinstance(record, Record)]
        )

    def _arm(self, user: str, state: UserState) -> None:
        """As `operators/user_value.py`: a timer that is too early is left to fire in vain. As Flink, which has each
        once."""
        due = self._engine.next_timer(user, state)
        if due is not None and due < self._armed.get(user, END_OF_TIME):
            self._armed[user] = due
            if (due, user) not in self._registered:
                self._registered.add((due, user))
                heapq.heappush(self._timers, (due, user))


def from_file(rules: Path, events: Path) -> None:
    """Measured to the last event; what is still due then counts as found."""
    lines = events.read_bytes().splitlines()
    users, meter = Users(rules), Meter(len(lines))
    users.play(lines[: meter.begin_at])
    meter.begin()
    users.play(lines[meter.begin_at :])
    meter.end()
    users.fire(END_OF_TIME)
    users.tell(meter)


def from_kafka(rules: Path, bootstrap: str, topic: str, count: int, total: int) -> None:
    """All `total` records are read; the first `count` are measured."""
    users, meter = Users(rules), Meter(count)
    lines = read_topic(bootstrap, topic, total)
    users.play(islice(lines, meter.begin_at))
    meter.begin()
    users.play(islice(lines, count - meter.begin_at))
    meter.end()
    users.play(lines)
    users.tell(meter)


def read_topic(bootstrap: str, topic: str, total: int) -> Iterator[bytes]:
    group = f"kairos-{os.getpid()}"
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    left = total
    while left:
        records = consumer.consume(min(left, AT_ONCE), 1.0)
        left -= len(records)
        for record in records:
            yield record.value() or b""
    consumer.close()


if __name__ == "__main__":
    _, rules, source, *given = sys.argv
    if source == "file":
        from_file(Path(rules), Path(given[0]))
    else:
        from_kafka(Path(rules), given[0], given[1], int(given[2]), int(given[3]))
