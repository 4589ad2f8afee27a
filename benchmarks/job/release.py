"""A million users released from quiet hours at one instant:
`python -m benchmarks.job.release [--users N] [--quick | --write]`.

Every user does something at night, and is held. Then event time passes 08:00, and all of them are due at once. Measured
is how long the job takes until each decision and each delivery is in Kafka, and what memory its process takes.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
from kafka import KafkaConsumer, TopicPartition

from benchmarks.kit.broker import PARTITIONS, kafka, produce, producer_of
from benchmarks.kit.command import arguments, report
from benchmarks.kit.job_run import EVALUATE, JOB, JobRun, memory_of, past
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import below
from benchmarks.kit.workload import Made, envelope
from kairos.engine.topics import DECISIONS, HEARTBEAT, deliveries_topic

TOPIC = "events.release"
NIGHT = 1_793_664_000_000  # 2026-11-03T00:00Z
MORNING = NIGHT + 8 * 3_600_000
NAME = "release"
PATIENCE_SECONDS = 900.0
RULE = """activity: morning_after
state: live
trigger: {event: order_created}
data: {order_id: order_id}
send: [{channel: in_app, template: note}]
"""


class Measured(NamedTuple):
    """`held`, `released`: seconds. `before`, `most`: bytes of memory."""

    held: float
    released: float
    before: int
    most: int


def night(users: int) -> Iterator[Made]:
    """One event a user, in the first hours after midnight."""
    order = list(range(users))
    chance = random.Random(7)
    chance.shuffle(order)
    for number, user in enumerate(order):
        moment = NIGHT + number * 7_200_000 // users
        yield f"u{user}", moment, envelope(number, f"u{user}", moment, chance, "order_created")


def rules(folder: Path) -> Path:
    (folder / "activities" / "t").mkdir(parents=True)
    (folder / "templates").mkdir()
    (folder / "activities" / "t" / "morning_after.yaml").write_text(RULE)
    (folder / "templates" / "note.in_app.liquid").write_text("{{ order_id }}\n")
    (folder / "policy.yaml").write_text('timezone: UTC\nquiet_hours: {from: "22:00", to: "08:00"}\n')
    return folder


def time_passes(bootstrap: str, moment: int) -> None:
    producer = producer_of(bootstrap)
    for partition in range(PARTITIONS):
        producer.produce(TOPIC, HEARTBEAT, partition=partition, timestamp=moment)
    producer.flush()


class Topics:
    """How many records there are."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap)

    def wait(self, topic: str, count: int, process: psutil.Process) -> tuple[float, int]:
        """Until there are so many; (seconds, the most memory of the process meanwhile)."""
        began, memory = time.monotonic(), 0
        while self._records(topic) < count:
            memory = max(memory, memory_of(process))
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise RuntimeError(f"{topic} has {self._records(topic):,} of {count:,} records")
            time.sleep(0.25)
        return time.monotonic() - began, memory

    def _records(self, topic: str) -> int:
        places = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic) or ()]
        return sum(self._consumer.end_offsets(places).values()) if places else 0


def measure(folder: Path, bootstrap: str, users: int) -> Measured:
    produce(bootstrap, TOPIC, night(users))
    settings = past(bootstrap, TOPIC, folder, NAME, rules(folder / "rules")) | {"state.interval": "30s"}
    with JobRun(JOB, settings, folder / "job.log") as job:
        topics, process = Topics(bootstrap), psutil.Process(job.pid)
        time_passes(bootstrap, MORNING - 60_000)
        job.until(EVALUATE, users)
        held, _ = topics.wait(f"{NAME}.{DECISIONS}", users, process)
        before = memory_of(process)
        time_passes(bootstrap, MORNING + 60_000)
        released, most = topics.wait(f"{NAME}.{DECISIONS}", 2 * users, process)
        more, still = topics.wait(f"{NAME}.{deliveries_topic('in_app')}", users, process)
        return Measured(held, released + more, before, max(most, still))


def main() -> None:
    given = arguments(__doc__, users=(1_000_000, 20_000))
    with tempfile.TemporaryDirectory() as name, kafka(Path(name)) as bootstrap:
        found = measure(Path(name), bootstrap, given.users)
    rows = grid(
        ("users", "released in, s", "messages/s", "memory before, MB", "at most, MB"),
        [
            (f"{given.users:,}", f"{found.released:.0f}", f"{given.users / found.released:,.0f}",
             f"{found.before / 1e6:,.0f}", f"{found.most / 1e6:,.0f}"),
        ],
    )  # fmt: skip
    text = "\n".join([machine("Kafka and the job"), "", *rows])
    growth = found.most / found.before
    goal = below("a million released from quiet hours at once, memory against before, times", growth, 2)
    report("job.release", given, text, lambda: [goal])


if __name__ == "__main__":
    main()
