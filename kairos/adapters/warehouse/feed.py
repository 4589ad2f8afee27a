"""Kafka's topics as rows come from them: a member of a consumer group that commits only what is kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kairos.adapters.kafka.librdkafka import group_options
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.errors import KairosError

AT_ONCE = 5_000
MEMORY_KILOBYTES = 65_536
_NOT_HERE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)

log = logging.getLogger(__name__)


class FeedError(KairosError):
    """Kafka refuses what is asked of it; the message says what."""


class Taken(NamedTuple):
    """`place`: topic/partition@offset."""

    topic: str
    value: bytes
    place: str


class KafkaFeed:
    """`topics`: regular expressions of whole names; a topic that is made later is found. Raises SettingsError."""

    def __init__(self, kafka: KafkaAddress, group: str, topics: Sequence[str]) -> None:
        options = group_options(kafka, group, "earliest", MEMORY_KILOBYTES)
        options |= {"enable.auto.commit": False, "enable.partition.eof": True, "error_cb": self._hear_of_trouble}
        self._place = kafka.bootstrap
        self._consumer = Consumer(options)
        self._consumer.subscribe([f"^({topic})$" for topic in topics], on_revoke=self._revoked, on_lost=self._revoked)
        self._next: dict[tuple[str, int], int] = {}
        """Where the next record would be that has not been taken."""
        self._at_end: set[tuple[str, int]] = set()
        self._away = False

    def take(self, seconds: float) -> list[Taken]:
        """The records that have come; waits at most so many seconds. Raises FeedError."""
        taken = []
        try:
            messages: list[Any] = self._consumer.consume(AT_ONCE, seconds)
        except KafkaException as error:
            raise FeedError(f"Kafka at {self._place}: {error.args[0].str()}") from None
        for message in messages:
            trouble, place = message.error(), (message.topic(), message.partition())
            if trouble is None:
                self._next[place] = message.offset() + 1
                self._at_end.discard(place)
                taken.append(Taken(place[0], message.value() or b"", f"{place[0]}/{place[1]}@{message.offset()}"))
            elif trouble.code() == KafkaError._PARTITION_EOF:
                self._at_end.add(place)
            elif trouble.code() not in _NOT_HERE:
                raise FeedError(f"Kafka at {self._place}: {trouble.str()}")
        return taken

    def commit(self) -> None:
        """Commits all that was taken, so that nobody of the group gets it again. After a FeedError it comes again."""
        offsets = [TopicPartition(topic, number, offset) for (topic, number), offset in self._next.items()]
        try:
            if offsets:
                self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise FeedError(f"Kafka at {self._place}: {error.args[0].str()}") from None
        self._next.clear()

    def at_end(self) -> bool:
        """Whether nothing more is there for now."""
        mine = {(place.topic, place.partition) for place in self._consumer.assignment()}
        return bool(mine) and mine <= self._at_end

    def close(self) -> None:
        """Leaves the group."""
        self._consumer.close()

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Forgets rows of partitions that another member of the group has now: they begin where was committed last, and
        come to that member."""
        for place in partitions:
            self._next.pop((place.topic, place.partition), None)
            self._at_end.discard((place.topic, place.partition))

    def _hear_of_trouble(self, error: KafkaError) -> None:
        """librdkafka recovers by itself, and nothing comes meanwhile."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._away:
            self._away = True
            log.warning("no broker answers at %s; the loader waits", self._place)
