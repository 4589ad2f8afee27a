"""Kafka's topics read from a moment on, by nobody's group: what one process has read is not taken from another."""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from kairos.adapters.kafka.librdkafka import group_options
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.engine.topics import CROWDS, DEAD_LETTERS, DECISIONS, RECEIPTS

AT_ONCE = 5_000
MEMORY_KILOBYTES = 65_536
PATIENCE_SECONDS = 5.0
_OURS = rf"({DECISIONS}|{RECEIPTS}|{CROWDS}|{DEAD_LETTERS}(\..+)?)"

log = logging.getLogger(__name__)


class Read(NamedTuple):
    """`topic`: without its prefix."""

    topic: str
    value: bytes


class Reader:
    """`since`: epoch ms. Topics that are made later are read from their beginning, as soon as `look` finds them."""

    def __init__(self, kafka: KafkaAddress, since: int) -> None:
        """Nothing is connected yet. Raises SettingsError."""
        options = group_options(kafka, "kairos-alarms", "earliest", MEMORY_KILOBYTES)
        self._consumer = Consumer(options | {"enable.auto.commit": False, "enable.partition.eof": True})
        self._prefix, self._since = kafka.prefix, since
        self._ours = re.compile(re.escape(kafka.prefix) + _OURS)
        self._known: set[tuple[str, int]] = set()
        self._behind: set[tuple[str, int]] = set()

    def look(self) -> None:
        """Looks for topics and partitions that were not there before. With Kafka away it finds nothing."""
        try:
            topics = self._consumer.list_topics(timeout=PATIENCE_SECONDS).topics
            new = [
                TopicPartition(name, number, self._since)
                for name, about in topics.items()
                if self._ours.fullmatch(name)
                for number in about.partitions
                if (name, number) not in self._known
            ]
            if new:
                found = self._consumer.offsets_for_times(new, timeout=PATIENCE_SECONDS)
                self._consumer.incremental_assign(
                    [TopicPartition(p.topic, p.partition, p.offset if p.offset >= 0 else OFFSET_END) for p in found]
                )
                self._known |= {(place.topic, place.partition) for place in new}
                self._behind |= {(place.topic, place.partition) for place in new}
        except KafkaException as error:
            log.warning("Kafka's topics cannot be looked at: %s", error.args[0].str())

    def take(self, seconds: float) -> list[Read]:
        """The records that have come; waits at most so many seconds for them."""
        taken = []
        for message in self._consumer.consume(AT_ONCE, seconds):
            trouble = message.error()
            if trouble is None:
                taken.append(Read(message.topic().removeprefix(self._prefix), message.value() or b""))
            elif trouble.code() == KafkaError._PARTITION_EOF:
                self._behind.discard((message.topic(), message.partition()))
            else:
                log.warning("Kafka: %s", trouble.str())
        return taken

    def has_caught_up(self) -> bool:
        """Whether every partition was read to its end once."""
        return bool(self._known) and not self._behind

    def close(self) -> None:
        self._consumer.close()
