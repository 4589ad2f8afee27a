"""A foreign Kafka topic as a feed: a member of a consumer group, whose offsets follow what is done.

librdkafka commits what `done` has stored, twice a second and when partitions change hands; a bridge that is killed in
between carries the last records once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import Any

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, TopicPartition

from kairos.adapters.kafka.librdkafka import group_options
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.bridges.feed import IDLE_SECONDS, MOST_EVENTS, FeedLostError, batch_of
from kairos.engine.source.normalise import Refusal
from kairos.usecases.intake.batch import Item

MEMORY_KILOBYTES = 65_536
CLOSE_SECONDS = 10.0
EMPTY = Refusal("no_value", "the record has no value: a tombstone says that something ended, not what happened")

log = logging.getLogger(__name__)


async def open_topic(kafka: KafkaAddress, topic: str, group: str, start: str) -> KafkaFeed:
    """`start`: earliest or latest, for partitions of which the group has committed nothing."""
    return KafkaFeed(kafka, topic, group, start)


class KafkaFeed:
    def __init__(self, kafka: KafkaAddress, topic: str, group: str, start: str) -> None:
        self._place = f"topic '{topic}' at {kafka.bootstrap}"
        self._consumer = Consumer(
            {**group_options(kafka, group, start, MEMORY_KILOBYTES), "error_cb": self._hear_of_trouble}
        )
        self._consumer.subscribe([topic])
        self._waiting: deque[tuple[Item, tuple[int, int]]] = deque()
        self._topic = topic
        self._taken: dict[int, int] = {}
        """partition -> the offset after what was taken last"""
        self._away = False

    async def take(self) -> list[Item]:
        if not self._waiting:
            try:
                found: list[Any] = await asyncio.to_thread(self._consumer.consume, MOST_EVENTS, IDLE_SECONDS)
            except KafkaException as error:
                raise self._lost(error.args[0]) from None
            self._away = self._away and not found
            for message in found:
                if (trouble := message.error()) is not None:
                    raise self._lost(trouble)
                self._waiting.append((item_of(message), (message.partition(), message.offset())))
        batch = batch_of(self._waiting)
        self._taken.update({partition: offset + 1 for _, (partition, offset) in batch})
        return [item for item, _ in batch]

    async def done(self) -> None:
        offsets = [TopicPartition(self._topic, partition, offset) for partition, offset in self._taken.items()]
        self._taken = {}
        with suppress(KafkaException):  # a partition that is another's by now, who carries its last records once more
            self._consumer.store_offsets(offsets=offsets)

    async def close(self) -> None:
        """Commits what is done, and leaves the group."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.to_thread(self._consumer.close)

    def _hear_of_trouble(self, error: KafkaError) -> None:
        """librdkafka recovers by itself, and nothing comes meanwhile. In the thread that consumes."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            if not self._away:
                log.warning("%s: no broker answers; it waits", self._place)
            self._away = True

    def _lost(self, error: KafkaError) -> FeedLostError:
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return FeedLostError(f"there is no {self._place}; whoever fills it makes it")
        return FeedLostError(f"{self._place} cannot be read: {error.str()}")


def item_of(message: Any) -> Item:
    """The record's place stands in for an id, and its timestamp for a time, that the value does not have."""
    kind, time = message.timestamp()
    beside = {
        "id": f"{message.topic()}-{message.partition()}-{message.offset()}",
        **({} if kind == TIMESTAMP_NOT_AVAILABLE else {"time": time}),
    }
    value = message.value()
    return Item(b"", EMPTY) if value is None else Item(value, beside=beside)
