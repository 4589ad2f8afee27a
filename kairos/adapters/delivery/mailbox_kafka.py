"""Records of a Kafka topic, as a member of a consumer group: taken in a thread, acknowledged when they are done."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from kairos.adapters.delivery.mailbox import Parcel, Unfinished
from kairos.adapters.kafka.librdkafka import group_options
from kairos.adapters.settings.kafka import KafkaAddress

POLL_SECONDS = 0.05
BATCH = 500
MEMORY_KILOBYTES = 16_384
CLOSE_SECONDS = 10.0
ASK_SECONDS, ASK_TIMEOUT_SECONDS = 5.0, 1.0
"""How often Kafka is asked how far behind a worker is that fetches nothing."""

log = logging.getLogger(__name__)

GiveBack = Callable[[set[tuple[str, int]] | None], None]


class KafkaMailbox:
    """Belongs to one event loop. `give_back` of `start` is called there with partitions that are this worker's no more;
    what is not under way of these should be let go.

    With `room` records taken and not done no more are fetched, and Kafka's lag grows. Raises SettingsError for options
    it cannot honour.
    """

    def __init__(self, kafka: KafkaAddress, topic: str, group: str, room: int) -> None:
        self._place = f"topic '{topic}' at {kafka.bootstrap}"
        self._topic, self._room = topic, room
        self._options = group_options(kafka, group, "earliest", MEMORY_KILOBYTES)
        self._give_back: GiveBack = lambda _partitions: None
        self._loop = asyncio.get_running_loop()
        self._taken: asyncio.Queue[list[Parcel]] = asyncio.Queue()
        self._done: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
        self._partitions: dict[int, Unfinished] = {}
        self._full = False
        self._ask_at = 0.0
        self._away = False
        self._no_more = threading.Event()
        self._closing = threading.Event()
        self.lag: int | None = None
        self._thread = threading.Thread(target=self._work, name=f"mailbox-{group}", daemon=True)

    def start(self, give_back: GiveBack) -> None:
        self._give_back = give_back
        self._thread.start()

    async def take(self) -> list[Parcel]:
        parcels = [] if self._no_more.is_set() else await self._taken.get()
        return [] if self._no_more.is_set() else parcels

    def done(self, parcel: Parcel) -> None:
        self._done.put(parcel)

    def stop(self) -> None:
        """Gives no more records out. What is done is still acknowledged, until `close`."""
        self._no_more.set()
        self._taken.put_nowait([])

    async def close(self) -> None:
        """Commits, and leaves the group, so that another worker gets at once what is not done."""
        self._closing.set()
        await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)

    def _work(self) -> None:
        """The thread; the only one that touches the consumer. Whatever ails Kafka, librdkafka goes on by itself."""
        consumer = Consumer({**self._options, "error_cb": self._hear_of_trouble})
        consumer.subscribe([self._topic], on_revoke=self._revoked, on_lost=self._revoked)
        while not self._closing.is_set():
            try:
                self._round(consumer)
            except KafkaException as error:
                log.warning("%s: %s", self._place, error.args[0].str())
                self._closing.wait(1.0)
        with suppress(KafkaException):  # what is not acknowledged comes again
            self._acknowledge(consumer)
        consumer.close()

    def _round(self, consumer: Consumer) -> None:
        found: list[Any] = consumer.consume(max(1, min(BATCH, self._room - self._open())), POLL_SECONDS)
        parcels = [parcel_of(message) for message in found if self._is_record(message)]
        if parcels and not self._no_more.is_set():
            for parcel in parcels:
                self._partitions.setdefault(parcel.partition, Unfinished()).began(parcel.offset)
            self._loop.call_soon_threadsafe(self._taken.put_nowait, parcels)
        self._acknowledge(consumer)
        self._hold_or_go_on(consumer)

    def _is_record(self, message: Any) -> bool:
        trouble = message.error()
        if trouble is None and self._away:
            self._away = False
            log.warning("%s: Kafka is back", self._place)
        if trouble is not None:
            log.warning("%s: %s", self._place, trouble.str())
        return trouble is None

    def _hear_of_trouble(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            if not self._away:
                log.warning("%s: no broker answers; the worker waits", self._place)
            self._away = True

    def _open(self) -> int:
        return sum(len(unfinished) for unfinished in self._partitions.values())

    def _hold_or_go_on(self, consumer: Consumer) -> None:
        """Pauses fetching when the room is full, until a quarter of it is free again. Done each time, because
        partitions that are assigned anew are not paused."""
        opened, was_full = self._open(), self._full
        self._full = self._no_more.is_set() or opened >= (self._room * 3 // 4 if was_full else self._room)
        if self._full:
            consumer.pause(consumer.assignment())
        elif was_full:
            consumer.resume(consumer.assignment())

    def _acknowledge(self, consumer: Consumer) -> None:
        """Of partitions that are this worker's; librdkafka commits what is stored."""
        while not self._done.empty():
            parcel = self._done.get()
            if parcel.partition in self._partitions:
                self._partitions[parcel.partition].done(parcel.offset)
        for partition, unfinished in self._partitions.items():
            offset = unfinished.to_commit()
            if offset is not None:
                consumer.store_offsets(offsets=[TopicPartition(self._topic, partition, offset)])
                unfinished.committed(offset)
        self.lag = self._lag(consumer)

    def _lag(self, consumer: Consumer) -> int:
        """Records of these partitions that nobody has fetched yet, as of the last fetch; while nothing is fetched
        because the room is full, Kafka is asked."""
        asked = self._full and time.monotonic() >= self._ask_at
        if asked:
            self._ask_at = time.monotonic() + ASK_SECONDS
        elif self._full and self.lag is not None:
            return self.lag
        lag = 0
        for place in consumer.position(consumer.assignment()):
            told = self._asked(consumer, place) if asked else None
            asked = told is not None  # else it is away, and each further partition would wait as long
            _, end = told or consumer.get_watermark_offsets(place, cached=True)
            if place.offset >= 0 and end != OFFSET_INVALID:
                lag += max(0, end - place.offset)
        return lag

    @staticmethod
    def _asked(consumer: Consumer, place: TopicPartition) -> tuple[int, int] | None:
        """The first offset and the one after the last, as Kafka says; None: it does not."""
        with suppress(KafkaException):
            return cast(tuple[int, int] | None, consumer.get_watermark_offsets(place, ASK_TIMEOUT_SECONDS))
        return None

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Called within `consume`, where Kafka gives partitions to somebody else."""
        for place in partitions:
            self._partitions.pop(place.partition, None)
        gone = {(place.topic, place.partition) for place in partitions}
        if gone and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._give_back, gone)


def parcel_of(message: Any) -> Parcel:
    """confluent_kafka's Message."""
    key, (_, time) = message.key(), message.timestamp()
    text = key.decode("utf-8", "replace") if key is not None else None
    return Parcel(message.topic(), message.partition(), message.offset(), text, message.value() or b"", max(0, time))
