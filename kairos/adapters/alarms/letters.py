"""Dead letters of the past. No warehouse keeps them, so they are counted where they lie: in Kafka."""

from __future__ import annotations

import logging
import re
from collections import Counter
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kairos.adapters.alarms.kafka import AT_ONCE, MEMORY_KILOBYTES, PATIENCE_SECONDS
from kairos.adapters.alarms.records import Facts
from kairos.adapters.kafka.librdkafka import group_options
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.series import MINUTE
from kairos.engine.topics import holds_letters

log = logging.getLogger(__name__)


class Letters(NamedTuple):
    """`facts`: by the minute, and by time. `since`: all are known from then on (epoch ms)."""

    facts: list[Fact]
    since: int


def past_letters(kafka: KafkaAddress, since: int, now: int) -> Letters:
    """Since `since`, as far as Kafka still has them; both epoch ms. With Kafka away none are known. Raises
    SettingsError."""
    options = group_options(kafka, "kairos-alarms", "earliest", MEMORY_KILOBYTES)
    consumer = Consumer(options | {"enable.auto.commit": False, "enable.partition.eof": True})
    try:
        return _Past(consumer, kafka.prefix, now).read(since)
    except KafkaException as error:
        log.warning("the dead letters of the past are not to be had: %s", error.args[0].str())
        return Letters([], now)
    finally:
        consumer.close()


class _Past:
    def __init__(self, consumer: Consumer, prefix: str, now: int) -> None:
        self._consumer, self._prefix, self._now = consumer, prefix, now
        self._facts = Facts()
        self._counts: Counter[tuple[int, str]] = Counter()
        """By minute (epoch ms) and channel."""
        self._cut: set[tuple[str, int]] = set()
        """Partitions whose oldest record is not the first that should be known."""
        self._since = 0

    def read(self, since: int) -> Letters:
        """Raises KafkaException."""
        wanted = self._assign(since)
        while wanted:
            messages = self._consumer.consume(AT_ONCE, PATIENCE_SECONDS)
            if not messages:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            for message in messages:
                place, trouble = (message.topic(), message.partition()), message.error()
                if trouble is None:
                    self._count(place, message.value() or b"")
                elif trouble.code() == KafkaError._PARTITION_EOF:
                    wanted.discard(place)
                else:
                    raise KafkaException(trouble)
        if self._cut:
            self._since = self._now
        facts = sorted(Fact(at, "letter", "", channel, n) for (at, channel), n in self._counts.items())
        return Letters(facts, self._since)

    def _assign(self, since: int) -> set[tuple[str, int]]:
        """The partitions of which there is something to read. Raises KafkaException."""
        consumer, named = self._consumer, re.compile(re.escape(self._prefix) + "(.*)")
        places = [
            TopicPartition(name, number, since)
            for name, about in consumer.list_topics(timeout=PATIENCE_SECONDS).topics.items()
            if (found := named.fullmatch(name)) and holds_letters(found[1])
            for number in about.partitions
        ]
        starts = consumer.offsets_for_times(places, timeout=PATIENCE_SECONDS) if places else []
        for start in starts:
            first, end = consumer.get_watermark_offsets(start, timeout=PATIENCE_SECONDS)
            if first > 0 and (start.offset == first or first == end):
                self._cut.add((start.topic, start.partition))
        there = [start for start in starts if start.offset >= 0]
        consumer.assign(there)
        return {(start.topic, start.partition) for start in there}

    def _count(self, place: tuple[str, int], value: bytes) -> None:
        for fact in self._facts.of(place[0].removeprefix(self._prefix), value):
            self._counts[fact.at // MINUTE * MINUTE, fact.channel] += 1
            if place in self._cut:
                self._cut.discard(place)
                self._since = max(self._since, fact.at)
