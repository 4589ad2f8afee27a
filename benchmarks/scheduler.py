"""How fast a blast leaves the scheduler, and how even a rate is:
`python -m benchmarks.scheduler [--users N] [--paced N] [--quick | --write]`.

A process `kairos scheduler` over real Redis and Kafka, on this machine. A blast to everyone in Redis begins at a whole
minute; its time is that from there to the last record that Kafka has. The rate is that of `rate: 500 per 1s`: what
comes after the batch at the slot, until the last one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psutil
import redis
from kafka import KafkaConsumer, TopicPartition

from benchmarks.kit.broker import stack
from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, below
from kairos.adapters.kafka.due import TOPIC
from kairos.apps.stack import StackSettings

RATE = 500
LOOK_SECONDS = 0.02
START_SECONDS = 15
"""The process needs so long until it is ready."""
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC")


class Measured(NamedTuple):
    """`counts`: (seconds after the slot, records in Kafka), whenever there were more. `memory`: bytes, at most."""

    counts: list[tuple[float, int]]
    memory: int

    @property
    def seconds(self) -> float:
        return self.counts[-1][0]

    def rate(self, at_once: int = 0) -> float:
        """Users a second, from the slot to the last, without those who are told at the slot."""
        seconds, users = self.counts[-1]
        return (users - at_once) / seconds


def fill(url: str, users: int) -> None:
    client = redis.Redis.from_url(url)
    pipeline = client.pipeline(transaction=False)
    for number in range(users):
        profile = {"timezone": ZONES[number % 4], "email": f"u{number}@example.com", "level": number % 5}
        pipeline.hset(f"profile:u{number}", mapping=profile)
        if number % 5_000 == 4_999:
            pipeline.execute()
    pipeline.execute()


def rules(folder: Path, at: datetime, pace: str) -> None:
    path = folder / "rules" / "activities" / "calendar"
    path.mkdir(parents=True)
    (path / "blast.yaml").write_text(
        f"activity: blast\nstate: live\ntrigger: {{schedule: {{at: {at:%Y-%m-%dT%H:%M}, timezone: UTC}}}}\n"
        f"{pace}send: [{{channel: webhook}}]\n"
    )


@contextmanager
def scheduler(folder: Path, settings: StackSettings) -> Iterator[psutil.Process]:
    (folder / "conf.yaml").write_text(
        f"kafka: {{bootstrap: '{settings.kafka}'}}\nprofiles: {{redis: '{settings.redis_url}'}}\n"
        f"rules: {{store: '{folder}/rules'}}\ndelivery: {{store: 'sqlite:///{folder}/control.db'}}\n"
    )
    command = [sys.executable, "-m", "kairos", "scheduler", "--conf", str(folder / "conf.yaml")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def follow(kafka: str, slot: datetime, users: int, process: psutil.Process, before: int) -> Measured:
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    counts: list[tuple[float, int]] = []
    memory = known = 0
    while known < users:
        time.sleep(LOOK_SECONDS)
        memory = max(memory, process.memory_info().rss)
        if datetime.now(UTC) > slot:
            found = _records(consumer) - before
            if found > known:
                known = found
                counts.append(((datetime.now(UTC) - slot).total_seconds(), known))
    consumer.close()
    return Measured(counts, memory)


def _records(consumer: KafkaConsumer) -> int:
    partitions = [TopicPartition(TOPIC, number) for number in consumer.partitions_for_topic(TOPIC) or ()]
    return sum(consumer.end_offsets(partitions).values()) if partitions else 0


def measure(folder: Path, settings: StackSettings, users: int, pace: str) -> Measured:
    folder.mkdir()
    client = redis.Redis.from_url(settings.redis_url)
    client.flushdb()
    fill(settings.redis_url, users)
    slot = (datetime.now(UTC) + timedelta(seconds=START_SECONDS + 60)).replace(second=0, microsecond=0)
    rules(folder, slot, pace)
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka)
    before = _records(consumer)
    consumer.close()
    with scheduler(folder, settings) as process:
        return follow(settings.kafka, slot, users, process, before)


def main() -> None:
    given = arguments(__doc__, users=(1_000_000, 20_000), paced=(30_000, 3_000))
    with tempfile.TemporaryDirectory() as name, stack(Path(name), "kafka", "redis") as servers:
        blast = measure(Path(name) / "blast", servers.settings, given.users, "")
        paced = measure(Path(name) / "paced", servers.settings, given.paced, f"pace: {{rate: {RATE} per 1s}}\n")
    rows = grid(
        ("", "users", "seconds", "users/s", "memory, MB"),
        [
            ("a blast, no rate", f"{given.users:,}", f"{blast.seconds:.1f}", f"{blast.rate():,.0f}",
             f"{blast.memory / 1e6:,.0f}"),
            (f"rate: {RATE} per 1s", f"{given.paced:,}", f"{paced.seconds:.1f}", f"{paced.rate(RATE):,.1f}",
             f"{paced.memory / 1e6:,.0f}"),
        ],
    )  # fmt: skip
    first = f"The first of {given.users:,} users was told {blast.counts[0][0]:.1f} s after the slot."
    report(
        "scheduler", given, "\n".join([machine(), "", *rows, "", first]), lambda: _results(given.users, blast, paced)
    )


def _results(users: int, blast: Measured, paced: Measured) -> Iterator[Result]:
    yield below(f"a blast to {users:,} users leaves the scheduler, s", blast.seconds, 60)
    yield below(f"rate {RATE} per 1s, off by %", abs(paced.rate(RATE) / RATE - 1) * 100, 2)


if __name__ == "__main__":
    main()
