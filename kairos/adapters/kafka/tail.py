"""What stands in topics from a moment on, and what comes: each record once, to one reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.topics import KafkaUnreachableError
from kairos.adapters.settings.kafka import KafkaAddress

POLL_MS = 200
MOST_POLLS = 100
"""At once: where records come faster than they are read, the reader has its turn all the same."""


class Tail:
    """One thread. `topics`: without the prefix."""

    def __init__(self, kafka: KafkaAddress, topics: Sequence[str]) -> None:
        """Nothing is connected yet. Raises SettingsError for options it cannot honour."""
        self._topics = [kafka.prefix + topic for topic in topics]
        self._prefix = len(kafka.prefix)
        self._options = {**client_options(kafka), "enable_auto_commit": False}
        self._consumer: KafkaConsumer | None = None

    def read(self, since: int) -> Iterator[tuple[str, Any]]:
        """(topic, record) of what has come since the last call; the first one begins at `since` (epoch ms).

        Raises KafkaUnreachableError; then it begins anew.
        """
        try:
            consumer = self._consumer = self._consumer or KafkaConsumer(**self._options)
            self._take_places(consumer, since)
            for _ in range(MOST_POLLS):
                batches = consumer.poll(POLL_MS)
                for place, messages in batches.items():
                    for message in messages:
                        yield place.topic[self._prefix :], message
                if not batches:
                    return
        except KafkaError as error:
            self.close()
            raise KafkaUnreachableError(f"{', '.join(self._topics)} cannot be read: {error}") from None

    def close(self) -> None:
        """Closes the client; the next `read` begins anew."""
        if self._consumer is not None:
            self._consumer.close()
        self._consumer = None

    @property
    def is_open(self) -> bool:
        return self._consumer is not None

    def _take_places(self, consumer: KafkaConsumer, since: int) -> None:
        """Those not taken yet: topics and partitions may come later than their reader."""
        there = {
            TopicPartition(topic, number)
            for topic in self._topics
            for number in consumer.partitions_for_topic(topic) or ()
        }
        new = there - consumer.assignment()
        if not new:
            return
        ends = consumer.end_offsets(new)  # before it is asked for times: what is written in between is not skipped
        starts = consumer.offsets_for_times(dict.fromkeys(new, since))
        consumer.assign(there)
        for place in new:
            found = starts.get(place)
            consumer.seek(place, ends[place] if found is None else found.offset)
