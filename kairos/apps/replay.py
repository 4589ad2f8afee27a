"""A file of events as live traffic: into Kafka, in order, stamped with the time at which each is sent.

With a speed of 60 an hour of the file passes in a minute, and the events say so: their distances shrink with the
waiting, so event time is the clock and never ahead of it, heartbeats of the same topics stay true, and a rule's "10
minutes" are ten minutes of the clock, ten hours of the file. Ids begin with the time of the start: the same file
replayed again is new traffic, no repetition that the job would drop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from kairos.adapters.kafka_topics import KafkaUnreachableError, create_topics
from kairos.engine.event import Event

PARTITIONS = 2
SEND_SECONDS = 30
"""How long a record may wait for the broker before the replay gives up."""


class Record(msgspec.Struct, frozen=True):
    """What goes to `topic`; `time` (epoch ms) is the record's timestamp and stands in `value`."""

    topic: str
    key: bytes
    value: bytes
    time: int


def topic_of(event: Event, default_source: str) -> str:
    return f"events.{event.source or default_source}"


def paced(
    events: Sequence[Event],
    speed: float,
    default_source: str,
    clock: Callable[[], float] = time.time,
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[Record]:
    """Each event when it is due. `clock` in epoch seconds. Behind schedule nothing is skipped: it goes out at once."""
    encode = msgspec.json.Encoder().encode
    start = clock()
    prefix = f"r{int(start * 1000):x}-"
    for event in events:
        due = start + (event.time - events[0].time) / 1000 / speed
        while (ahead := due - clock()) > 0:
            wait(ahead)
        now = int(clock() * 1000)
        envelope = {
            "id": prefix + event.id,
            "type": event.type,
            "user_id": event.user_id,
            "time": now,
            "source": event.source or default_source,
            "props": event.props,
        }
        yield Record(topic_of(event, default_source), event.user_id.encode(), encode(envelope), now)


def replay(
    events: Sequence[Event], speed: float, bootstrap: str, default_source: str, sent: Callable[[int], object]
) -> None:
    """Sends all and waits until Kafka has them; calls `sent` with the number so far. Raises KafkaUnreachableError.

    `events` are in time order. Missing topics are made.
    """
    create_topics(bootstrap, {topic_of(event, default_source) for event in events}, PARTITIONS)
    failures: list[Exception] = []
    try:
        producer = _producer(bootstrap)
        try:
            for number, record in enumerate(paced(events, speed, default_source), 1):
                future = producer.send(record.topic, record.value, record.key, timestamp_ms=record.time)
                future.add_errback(failures.append)
                if failures:
                    break
                sent(number)
            producer.flush(timeout=SEND_SECONDS)
        finally:
            producer.close(timeout=1)
    except KafkaError as error:
        failures.append(error)
    if failures:
        raise KafkaUnreachableError(f"{bootstrap} took no more records: {failures[0]}")


def _producer(bootstrap: str) -> Any:
    limit = SEND_SECONDS * 1000
    return KafkaProducer(
        bootstrap_servers=bootstrap,
        client_id="kairos-replay",
        acks="all",
        linger_ms=5,
        max_block_ms=limit,
        delivery_timeout_ms=limit,
        request_timeout_ms=limit // 2,
        bootstrap_timeout_ms=limit,
    )
