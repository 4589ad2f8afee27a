"""How long a price drop takes to reach everybody who follows the item, and what memory that needs:
`python -m benchmarks.catalog [--followers N] [--quick | --write]`.

The job over a broker of its own, state on the heap. All follow one item; then it becomes cheaper. Its time is that from
the record of the change to the last `catalog.changed` in the topic, the broker's heartbeat of a second included. Memory
is that of the whole process, JVM and Python: before the change, and at most until everybody has been told.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
from kafka import KafkaConsumer, TopicPartition

from benchmarks.kit.broker import PARTITIONS, kafka, produce, producer_of, send
from benchmarks.kit.command import arguments, report
from benchmarks.kit.job_run import JOB, JobRun, Vertex, memory_of, past
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, below
from benchmarks.kit.workload import HOUR, START, Made, write_rules
from kairos.engine.topics import HEARTBEAT
from operators.catalog import TOPIC as TOLD

ITEMS = Vertex("catalog", "catalog.numRecordsIn")
FEW = 1_000
LOOK_SECONDS = 0.05
DROP = "activity: drop\nstate: live\ntrigger: {event: catalog.changed, where: price < was_price}\n"
CATALOGS = "products: {key: sku, fields: {price: number, title: string}, follow: {wish: 90d}}\n"


class Measured(NamedTuple):
    """Memory in bytes."""

    followers: int
    seconds: float
    before: int
    most: int


def item(price: int, at: int) -> Made:
    props = {"catalog": "products", "sku": "p1", "price": price, "title": "Lamp"}
    return _made(f"i{price}", "catalog.item", "shop", at, props)


def wishes(followers: int) -> Iterator[Made]:
    yield item(100, START)
    for number in range(1, followers + 1):
        yield _made(f"w{number}", "wish", f"u{number}", START + number, {"sku": "p1"})


def _made(event_id: str, kind: str, user: str, at: int, props: dict[str, Any]) -> Made:
    event = {"id": event_id, "type": kind, "user_id": user, "time": at, "source": "shop", "props": props}
    return user, at, msgspec.json.encode(event)


def measure(bootstrap: str, folder: Path, followers: int) -> Measured:
    topic = f"past.catalog{followers}"
    produce(bootstrap, topic, wishes(followers))
    _beat(bootstrap, topic, START + HOUR)
    rules = write_rules(folder / f"rules{followers}", [DROP])
    (rules / "catalogs.yaml").write_text(CATALOGS)
    settings = past(bootstrap, topic, folder, f"catalog{followers}", rules) | {"kafka.create_topics": PARTITIONS}
    with JobRun(JOB, settings, folder / "job.log") as job:
        job.until(ITEMS, followers + 1)
        time.sleep(2 * LOOK_SECONDS)
        process, known = psutil.Process(job.pid), _told(bootstrap)
        before = most = memory_of(process)
        producer, began = producer_of(bootstrap), time.monotonic()
        send(producer, topic, *item(80, START + HOUR + 1))
        producer.flush()
        _beat(bootstrap, topic, START + 2 * HOUR)
        while _told(bootstrap) - known < followers:
            most = max(most, memory_of(process))
            time.sleep(LOOK_SECONDS)
        return Measured(followers, time.monotonic() - began, before, most)


def _beat(bootstrap: str, topic: str, at: int) -> None:
    producer = producer_of(bootstrap)
    for partition in range(PARTITIONS):
        producer.produce(topic, HEARTBEAT, partition=partition, timestamp=at)
    producer.flush()


def _told(bootstrap: str) -> int:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        places = [TopicPartition(TOLD, number) for number in consumer.partitions_for_topic(TOLD) or ()]
        return sum(consumer.end_offsets(places).values()) if places else 0
    finally:
        consumer.close()


def main() -> None:
    given = arguments(__doc__, followers=(100_000, 2_000))
    with tempfile.TemporaryDirectory() as name, kafka(Path(name)) as bootstrap:
        found = [measure(bootstrap, Path(name), number) for number in (FEW, given.followers)]
    rows = grid(
        ("followers", "seconds", "told/s", "memory before, MB", "at most, MB"),
        [
            (f"{m.followers:,}", f"{m.seconds:.1f}", f"{m.followers / m.seconds:,.0f}", f"{m.before / 1e6:,.0f}",
             f"{m.most / 1e6:,.0f}")
            for m in found
        ],
    )  # fmt: skip
    report("catalog", given, "\n".join([machine(), "", *rows]), lambda: _results(found))


def _results(found: list[Measured]) -> Iterator[Result]:
    few, many = found
    yield below(f"a change tells {many.followers:,} followers, s", many.seconds, 60)
    more = (many.most - many.before) - (few.most - few.before)
    yield below("bytes of memory that telling one follower more takes", more / (many.followers - few.followers), 1_000)


if __name__ == "__main__":
    main()
