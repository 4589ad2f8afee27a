"""Writes records to Kafka, and returns when it has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from kairos.adapters.kafka.librdkafka import NEVER_TAKEN, producer_options
from kairos.adapters.post import Post
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.errors import KairosError

PATIENCE_MS = 10_000


class KafkaAwayError(KairosError):
    """Kafka has not taken all of the records. Those that it has may come twice when they are sent again."""


class KafkaRefusedError(Exception):
    """Kafka will never take one of the records, whenever it is sent: it is too long, for example."""


class KafkaPosts:
    """`write` blocks; one thread. Kafka may be away at the start. Raises SettingsError for options it cannot honour."""

    def __init__(self, kafka: KafkaAddress, prefix: str, client: str) -> None:
        self._place = kafka.bootstrap
        self._prefix = prefix
        self._options = producer_options(kafka, client, PATIENCE_MS)
        self._producer = Producer(self._options)

    def write(self, posts: Sequence[Post]) -> list[None]:
        """Returns when all in-sync replicas have acknowledged all records. Raises KafkaAwayError and
        KafkaRefusedError."""
        refused: list[KafkaError] = []

        def hear(error: KafkaError | None, _message: Any) -> None:
            if error is not None:
                refused.append(error)

        try:
            for post in posts:
                self._produce(post, hear)
        except KafkaException as error:
            refused.append(error.args[0])
        if self._producer.flush(2 * PATIENCE_MS / 1000) or refused:
            if any(error.fatal() for error in refused):  # such a producer takes nothing more
                self._producer = Producer(self._options)
            why = refused[0].str() if refused else "no answer"
            if any(error.code() in NEVER_TAKEN for error in refused):
                raise KafkaRefusedError(f"Kafka at {self._place} refuses a record: {why}")
            raise KafkaAwayError(f"Kafka at {self._place} takes no records: {why}")
        return [None] * len(posts)

    def _produce(self, post: Post, hear: Callable[[KafkaError | None, Any], None]) -> None:
        """Waits where the queue is full: what is in it is taken, or given up, within `PATIENCE_MS`."""
        key = post.key.encode("utf-8", "surrogatepass") if post.key is not None else None
        while True:
            try:
                self._producer.produce(
                    self._prefix + post.topic, post.value, key, timestamp=post.timestamp, on_delivery=hear
                )
                return
            except BufferError:
                self._producer.poll(0.1)

    def close(self) -> None:
        self._producer.flush(1.0)
