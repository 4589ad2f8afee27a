"""What Kafka has deleted although a consumer group had not read it: where the group stands, against what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from kairos.adapters.kafka.topics import TIMEOUT_SECONDS, KafkaUnreachableError
from kairos.engine.loss import Loss


class LossWatch:
    """`groups`, `topics`: those that are watched, as patterns. A client is opened at the first look."""

    def __init__(self, options: Mapping[str, Any], groups: str, topics: str) -> None:
        """`options`: arguments of kafka-python's clients."""
        self._options = {**options, "bootstrap_timeout_ms": int(TIMEOUT_SECONDS * 1000)}
        self._groups, self._topics = re.compile(groups), re.compile(topics)
        self._admin: KafkaAdminClient | None = None
        self._consumer: KafkaConsumer | None = None
        self._told: set[Loss] = set()

    def look(self) -> list[Loss]:
        """The losses that were not told before. Raises KafkaUnreachableError."""
        try:
            if self._admin is None or self._consumer is None:
                self._admin = KafkaAdminClient(**self._options)
                self._consumer = KafkaConsumer(**self._options, enable_auto_commit=False)
            found = [loss for loss in self._losses(self._admin, self._consumer) if loss not in self._told]
        except KafkaError as error:
            self.close()
            raise KafkaUnreachableError(f"{self._options['bootstrap_servers']} does not answer: {error}") from None
        self._told.update(found)
        return found

    def close(self) -> None:
        for client in (self._admin, self._consumer):
            if client is not None:
                client.close()
        self._admin = self._consumer = None

    def _losses(self, admin: KafkaAdminClient, consumer: KafkaConsumer) -> Iterator[Loss]:
        groups = [group["group_id"] for group in admin.list_groups() if self._groups.fullmatch(group["group_id"])]
        for group in groups:
            read = self._read_until(admin, group)
            left = consumer.beginning_offsets(list(read)) if read else {}
            for place, following in sorted(read.items()):
                if left[place] > following:
                    yield Loss(group, place.topic, place.partition, following, left[place] - 1)

    def _read_until(self, admin: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
        """Of every partition that is watched the offset that the group reads next."""
        there = set(admin.list_topics())
        kept = admin.list_group_offsets(group)[group]
        return {
            place: offset.offset
            for place, offset in kept.items()
            if offset.offset >= 0 and place.topic in there and self._topics.fullmatch(place.topic)
        }
