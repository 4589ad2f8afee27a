"""The servers that benchmarks run beside, and events in Kafka."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from benchmarks.kit.workload import HOUR, START, Made
from kairos.adapters.kafka.topics import create_topics
from kairos.apps.native.ports import free_ports
from kairos.apps.stack import Stack, StackSettings
from kairos.engine.topics import HEARTBEAT

PARTITIONS = 2
SHARED = "KAIROS_BENCH_KAFKA"
"""In the environment: the address of a broker, with the heartbeat, for all benchmarks (benchmarks/quick.py)."""
_PORTS = ("kafka_port", "kafka_controller_port", "redis_port", "mariadb_port", "trino_port", "heartbeat_port")


@contextmanager
def stack(folder: Path, *services: str) -> Iterator[Stack]:
    """These services of the stack, on ports of their own."""
    ports: dict[str, Any] = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    servers = Stack(StackSettings(folder=folder / "stack", **ports))
    try:
        servers.up(services)
        yield servers
    finally:
        servers.down()


@contextmanager
def kafka(folder: Path, *others: str) -> Iterator[str]:
    """A broker, and whatever else of the stack, or the one that is shared; gives its address. So topics and groups
    bear the name of their benchmark."""
    if SHARED in os.environ:
        yield os.environ[SHARED]
        return
    with stack(folder, "kafka", *others) as servers:
        yield servers.settings.kafka


def backlog(bootstrap: str, topic: str, made: Iterable[Made]) -> None:
    """The events, and in each partition a heartbeat of an hour later, which shows that nothing more comes."""
    last = produce(bootstrap, topic, made)
    producer = producer_of(bootstrap)
    for partition in range(PARTITIONS):
        producer.produce(topic, HEARTBEAT, partition=partition, timestamp=last + HOUR)
    producer.flush()


def produce(bootstrap: str, topic: str, made: Iterable[Made], partitions: int = PARTITIONS) -> int:
    """In the given order in every partition; the time of the last."""
    create_topics(bootstrap, [topic], partitions)
    producer = producer_of(bootstrap)
    moment = START
    for user, moment, value in made:
        send(producer, topic, user, moment, value)
    producer.flush()
    return moment


def producer_of(bootstrap: str, **options: object) -> Producer:
    return Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "partitioner": "murmur2_random", **options})


def send(producer: Producer, topic: str, user: str, moment: int, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, user.encode(), timestamp=moment)
            return
        except BufferError:
            producer.poll(0.1)
