"""`kairos replay`: a file of events as live traffic into Kafka, in order, stamped with the time at which each is sent.

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
from confluent_kafka import KafkaError, KafkaException, Producer

from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.librdkafka import producer_options
from kairos.adapters.kafka.topics import KafkaUnreachableError, create_topics
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.engine.event import Event
from kairos.engine.topics import events_topic
from kairos.usecases.control.deeds import begin
from kairos.usecases.control.rights import Actor

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
    return events_topic(event.source or default_source)


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
    events: Sequence[Event],
    speed: float,
    kafka: KafkaAddress,
    default_source: str,
    sent: Callable[[int], object],
    *,
    actor: Actor,
    log: str | None,
    file: str,
) -> None:
    """Sends all and waits until Kafka has them; calls `sent` with the number so far.

    `events` are in time order, of `file`. Missing topics are made. `log`: the rule store in whose log it stands; None:
    in none. Raises NotAllowedError, RuleStoreError, KafkaUnreachableError and SettingsError.
    """
    begin(log, actor, "replay", "replay_events", f"events/{file}", int(time.time() * 1000))
    topics = {topic_of(event, default_source) for event in events}
    create_topics(client_options(kafka), topics, kafka.create_topics or PARTITIONS)
    producer = Producer(producer_options(kafka, "kairos-replay", SEND_SECONDS * 1000))
    refused: list[KafkaError] = []

    def hear(error: KafkaError | None, _message: Any) -> None:
        if error is not None:
            refused.append(error)

    for number, record in enumerate(paced(events, speed, default_source), 1):
        _produce(producer, record, hear)
        if refused:
            break
        sent(number)
    unanswered = producer.flush(SEND_SECONDS)
    if refused or unanswered:
        why = refused[0].str() if refused else "no answer"
        raise KafkaUnreachableError(f"{kafka.bootstrap} took no more records: {why}")


def _produce(producer: Producer, record: Record, hear: Callable[[KafkaError | None, Any], None]) -> None:
    """Waits where the queue is full: what is in it is taken, or given up, within `SEND_SECONDS`."""
    while True:
        try:
            producer.produce(record.topic, record.value, record.key, timestamp=record.time, on_delivery=hear)
            producer.poll(0)
            return
        except BufferError:
            producer.poll(0.1)
        except KafkaException as error:
            hear(error.args[0], None)
            return
