"""Decisions and deliveries as Kafka has them now, from the oldest record kept to the newest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from kairos.adapters.decision_log import Decided, DecisionLogError, HandedOver, digest_of
from kairos.adapters.kafka_client import KafkaAddress, client_options
from kairos.adapters.kafka_topics import TIMEOUT_SECONDS, KafkaUnreachableError, check_kafka
from kairos.adapters.run_folder import DECISIONS, DELIVERIES
from kairos.engine.decision import Record

PATIENCE_SECONDS = 30.0
"""So long nothing may come of what the broker says is there."""
_NEVER = 2**62

_T = TypeVar("_T")


class KafkaLog:
    """Raises DecisionLogError."""

    def __init__(self, kafka: KafkaAddress) -> None:
        """Raises SettingsError as well."""
        bootstrap, prefix = kafka.bootstrap, kafka.prefix
        self.place = f"topic {prefix}{DECISIONS} in Kafka at {bootstrap}"
        self.complete_since = 0
        self._bootstrap, self._prefix = bootstrap, prefix
        options = client_options(kafka)
        limit = int(TIMEOUT_SECONDS * 1000)
        # What a transaction has not committed is not decided yet.
        settings = {"isolation_level": "read_committed", "enable_auto_commit": False, "allow_auto_create_topics": False}
        try:
            check_kafka(bootstrap)
            self._consumer = KafkaConsumer(bootstrap_timeout_ms=limit, **settings, **options)
            self._topics = {name for name in self._consumer.topics() if name.startswith(prefix)}
        except KafkaUnreachableError as error:
            raise DecisionLogError(str(error)) from None
        except KafkaError as error:
            raise DecisionLogError(f"{bootstrap} does not answer as Kafka does: {error}") from None
        if prefix + DECISIONS not in self._topics:
            self.close()
            raise DecisionLogError(f"Kafka at {bootstrap} has no topic {prefix}{DECISIONS}: was anything ever decided?")

    def close(self) -> None:
        self._consumer.close()

    def decisions(self) -> Iterator[Decided]:
        for origin, record in self._decoded(self._prefix + DECISIONS, Record):
            yield Decided(record, digest_of(record), origin)

    def deliveries(self) -> Iterator[HandedOver]:
        for topic in sorted(self._topics):
            if topic.startswith(self._prefix + DELIVERIES):
                for _, delivery in self._decoded(topic, HandedOver):
                    if delivery.send_before is not None:
                        yield delivery

    def _decoded(self, topic: str, shape: type[_T]) -> Iterator[tuple[str, _T]]:
        decode = msgspec.json.Decoder(shape).decode
        for record in self._records(topic):
            origin = f"{topic}/{record.partition}@{record.offset}"
            if record.value is not None:
                try:
                    yield origin, decode(record.value)
                except ValueError as error:
                    if topic == self._prefix + DECISIONS:
                        raise DecisionLogError(f"{origin}: not a decision: {error}") from None

    def _records(self, topic: str) -> Iterator[ConsumerRecord]:
        """Up to what stood there at the beginning of the call."""
        try:
            places = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic) or ()]
            first, last = self._consumer.beginning_offsets(places), self._consumer.end_offsets(places)
            self._consumer.assign(places)
            self._consumer.seek_to_beginning(*places)
            cut = {place for place in places if first[place] > 0 and topic == self._prefix + DECISIONS}
            if any(first[place] >= last[place] for place in cut):
                self.complete_since = _NEVER  # of that partition nothing is left to tell how far the deletion went
            yield from self._up_to(last, cut)
        except KafkaError as error:
            raise DecisionLogError(f"Kafka at {self._bootstrap} stopped answering: {error}") from None

    def _up_to(self, last: Mapping[TopicPartition, int], cut: set[TopicPartition]) -> Iterator[ConsumerRecord]:
        """`cut`: partitions whose oldest records were deleted; the first one left tells how far."""
        limit = time.monotonic() + PATIENCE_SECONDS
        while behind := [place for place in last if self._consumer.position(place) < last[place]]:
            found = self._consumer.poll(timeout_ms=500)
            if found:
                limit = time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > limit:
                raise DecisionLogError(f"{behind[0].topic}: nothing comes of it, although there should be more")
            for place, records in found.items():
                if place in cut:
                    cut.discard(place)
                    self.complete_since = max(self.complete_since, records[0].timestamp)
                yield from (record for record in records if record.offset < last[place])
