"""Writes records to Kafka, and returns when it has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from kairos.adapters.mailbox import Post

LIMIT_MS = 10_000


class KafkaAwayError(Exception):
    """Kafka has not taken all of the records. Those that it has may come twice when they are sent again."""


class KafkaPosts:
    """`write` blocks; one thread. The producer is made when it is first needed: Kafka may be away until then."""

    def __init__(self, options: Mapping[str, Any], prefix: str, client: str) -> None:
        self._options, self._prefix, self._client = dict(options), prefix, client
        self._producer: Any = None

    def write(self, posts: Sequence[Post]) -> list[None]:
        """All are acknowledged by all in-sync replicas. Raises KafkaAwayError."""
        try:
            if self._producer is None:
                self._producer = self._connect()
            futures = [self._send(post) for post in posts]
            self._producer.flush(timeout=LIMIT_MS / 1000)
            for future in futures:
                future.get(timeout=LIMIT_MS / 1000)
        except KafkaError as error:
            self._drop()
            raise KafkaAwayError(f"Kafka at {self._options['bootstrap_servers']} takes no records: {error}") from None
        return [None] * len(posts)

    def _send(self, post: Post) -> Any:
        key = post.key.encode("utf-8", "surrogatepass") if post.key is not None else None
        return self._producer.send(self._prefix + post.topic, post.value, key, timestamp_ms=post.timestamp)

    def _connect(self) -> Any:
        return KafkaProducer(
            **self._options,
            client_id=self._client,
            acks="all",
            linger_ms=2,
            max_block_ms=LIMIT_MS,
            delivery_timeout_ms=LIMIT_MS,
            request_timeout_ms=LIMIT_MS // 2,
            bootstrap_timeout_ms=LIMIT_MS,
            reconnect_backoff_max_ms=1_000,
        )

    def _drop(self) -> None:
        """kafka-python's idempotent producer (3.0) stays silent for ever once a broker has gone with a batch of it."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=0)

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=1)
