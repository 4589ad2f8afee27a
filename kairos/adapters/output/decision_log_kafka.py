"""Decisions and deliveries as Kafka has them now, from the oldest record kept to the newest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TypeVar

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from kairos.adapters.decoding import Unreadable, UnreadableError, decoder
from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.topics import TIMEOUT_SECONDS, KafkaUnreachableError, check_kafka
from kairos.adapters.output.dead_letters import found_in
from kairos.adapters.output.decision_log import NEVER, Decided, DecisionLogError, HandedOver, Kept, digest_of
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.engine.loss import REASON, Loss, loss_of
from kairos.engine.topics import DEAD_LETTERS, DECISIONS, DELIVERIES

PATIENCE_SECONDS = 30.0
"""So long nothing may come of what the broker says is there."""

_T = TypeVar("_T")


class KafkaLog:
    """Raises DecisionLogError."""

    def __init__(self, kafka: KafkaAddress) -> None:
        """Raises SettingsError as well."""
        bootstrap, prefix = kafka.bootstrap, kafka.prefix
        self.place = f"topic {prefix}{DECISIONS} in Kafka at {bootstrap}"
        self.complete_since, self.complete_until = 0, NEVER
        self.unreadable = Unreadable()
        self._bootstrap, self._prefix = bootstrap, prefix
        self._options = client_options(kafka)
        try:
            check_kafka(bootstrap)
            # What a transaction has not committed is not decided yet.
            self._consumer = self._connect("read_committed")
            self._topics = {name for name in self._consumer.topics() if name.startswith(prefix)}
        except KafkaUnreachableError as error:
            raise DecisionLogError(str(error)) from None
        except KafkaError as error:
            raise DecisionLogError(f"{bootstrap} does not answer as Kafka does: {error}") from None
        if prefix + DECISIONS not in self._topics:
            self.close()
            raise DecisionLogError(f"Kafka at {bootstrap} has no topic {prefix}{DECISIONS}: was anything ever decided?")

    def _connect(self, isolation: str) -> KafkaConsumer:
        settings = {"enable_auto_commit": False, "allow_auto_create_topics": False, "isolation_level": isolation}
        return KafkaConsumer(bootstrap_timeout_ms=int(TIMEOUT_SECONDS * 1000), **settings, **self._options)

    def close(self) -> None:
        self._consumer.close()

    def decisions(self) -> Iterator[Decided]:
        for origin, record in self._decoded(self._prefix + DECISIONS, Kept):
            if not record.shadow:
                yield Decided(record, digest_of(record), origin)

    def deliveries(self) -> Iterator[HandedOver]:
        for topic in sorted(self._topics):
            if topic.startswith(self._prefix + DELIVERIES):
                for _, delivery in self._decoded(topic, HandedOver):
                    if delivery.send_before is not None:
                        yield delivery

    def losses(self) -> Iterator[Loss]:
        told = self._records(self._prefix + DEAD_LETTERS) if self._prefix + DEAD_LETTERS in self._topics else ()
        found = (found_in("", DEAD_LETTERS, record.value or b"") for record in told)
        letters = (one.letter for one in found if one is not None and one.letter.reason == REASON)
        return iter({loss: None for letter in letters if (loss := loss_of(letter.value.encode())) is not None})

    def _decoded(self, topic: str, shape: type[_T]) -> Iterator[tuple[str, _T]]:
        decode = decoder(shape)
        for record in self._records(topic):
            origin = f"{topic}/{record.partition}@{record.offset}"
            try:
                value = decode(record.value)
            except UnreadableError as error:
                self.unreadable.add(topic.removeprefix(self._prefix), origin, error)
            else:
                yield origin, value

    def _records(self, topic: str) -> Iterator[ConsumerRecord]:
        """Up to what stood there at the beginning of the call."""
        try:
            places = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic) or ()]
            written = self._written(places) if topic == self._prefix + DECISIONS else {}
            first, last = self._consumer.beginning_offsets(places), self._consumer.end_offsets(places)
            self._consumer.assign(places)
            self._consumer.seek_to_beginning(*places)
            newest = dict.fromkeys(places, 0)
            for record in self._up_to(last):
                place = TopicPartition(topic, record.partition)
                if written and first[place] > 0 and not newest[place]:  # what was before it is deleted
                    self.complete_since = max(self.complete_since, record.timestamp)
                newest[place] = record.timestamp
                yield record
        except KafkaError as error:
            raise DecisionLogError(f"Kafka at {self._bootstrap} stopped answering: {error}") from None
        for place, end in written.items():
            if first[place] > 0 and not newest[place]:
                self.complete_since = NEVER  # nothing is left to tell how far the deletion went
            if end > last[place]:
                self.complete_until = min(self.complete_until, newest[place])

    def _written(self, places: list[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Up to where there are records, those of open transactions too: asked first, so that with none of these what
        may be read reaches at least as far."""
        everything = self._connect("read_uncommitted")
        try:
            ends: Mapping[TopicPartition, int] = everything.end_offsets(places)
        finally:
            everything.close()
        return ends

    def _up_to(self, last: Mapping[TopicPartition, int]) -> Iterator[ConsumerRecord]:
        limit = time.monotonic() + PATIENCE_SECONDS
        while behind := [place for place in last if self._consumer.position(place) < last[place]]:
            found = self._consumer.poll(timeout_ms=500)
            for place, records in found.items():
                yield from (record for record in records if record.offset < last[place])
            if found:
                limit = time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > limit:
                raise DecisionLogError(f"{behind[0].topic}: nothing comes of it, although there should be more")
