"""Records of Kafka topics, as a member of a consumer group: taken in a thread, acknowledged when they are done."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from kairos.adapters.mailbox import Parcel, Unfinished

POLL_MS = 100
COMMIT_SECONDS = 0.5
RECONNECT_SECONDS = 2.0
SESSION_MS = 10_000
"""After this a worker that is gone has lost its partitions to the others."""
JOIN_SECONDS = 2 * SESSION_MS / 1000
"""A group that waits for nobody has shared out its partitions by then."""

log = logging.getLogger(__name__)


class JoinLostError(Exception):
    """The group has shared out its partitions, and this consumer has not noticed.

    kafka-python (3.0) joins for ever when another member leaves just while it does.
    """


GiveBack = Callable[[set[tuple[str, int]] | None], None]


class KafkaMailbox:
    """Belongs to one event loop. `give_back` of `start` is called there with partitions that are this worker's no more,
    or None for all of them; what is not under way of these should be let go.

    With `room` records taken and not done no more are fetched, and Kafka's lag grows.
    """

    def __init__(self, options: Mapping[str, Any], topics: Sequence[str], group: str, room: int) -> None:
        self._options, self._topics, self._group = dict(options), list(topics), group
        self._room = room
        self._give_back: GiveBack = lambda _partitions: None
        self._loop = asyncio.get_running_loop()
        self._taken: asyncio.Queue[list[Parcel]] = asyncio.Queue()
        self._done: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
        self._partitions: dict[TopicPartition, Unfinished] = {}
        self._full = False
        self._committed_at = 0.0
        self._no_more = threading.Event()
        self._closing = threading.Event()
        self._joining_since: float | None = None
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
        """Nothing more is given out. What is done is still acknowledged, until `close`."""
        self._no_more.set()
        self._taken.put_nowait([])

    async def close(self) -> None:
        """Commits, and leaves the group: what is not done goes to another worker at once."""
        self._closing.set()
        await asyncio.to_thread(self._thread.join, 10.0)

    def _work(self) -> None:
        """The thread; the only one that touches the consumer."""
        told = False
        consumer: Any = None
        while not self._closing.is_set():
            try:
                if consumer is None:
                    consumer = self._connect()
                self._round(consumer)
                if told:
                    log.warning("Kafka at %s is back", self._options["bootstrap_servers"])
                told = False
            except KafkaError as error:
                if not told:
                    log.warning("Kafka at %s does not answer: %s", self._options["bootstrap_servers"], error)
                told = True
                self._closing.wait(RECONNECT_SECONDS)
            except JoinLostError:
                log.warning("the group %s was joined in vain for %d s; joining anew", self._group, JOIN_SECONDS)
                self._drop(consumer)
                consumer = None
            except Exception:
                log.exception("reading %s failed; connecting anew", ", ".join(self._topics))
                self._drop(consumer)
                consumer = None
                self._closing.wait(RECONNECT_SECONDS)
        if consumer is not None:
            self._leave(consumer)

    def _connect(self) -> Any:
        consumer = KafkaConsumer(
            **self._options,
            client_id=self._group,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=SESSION_MS // 4,
            metadata_max_age_ms=5_000,
            reconnect_backoff_max_ms=1_000,
            bootstrap_timeout_ms=5_000,
        )
        self._joining_since = time.monotonic()
        consumer.subscribe(topics=self._topics, listener=_Listener(self._revoked, self._assigned))
        return consumer

    def _round(self, consumer: Any) -> None:
        asked = time.monotonic()
        found = consumer.poll(timeout_ms=POLL_MS, max_records=max(1, min(500, self._room - self._open())))
        if not found:  # with a broker away kafka-python may answer at once, again and again
            self._closing.wait(max(0.0, POLL_MS / 1000 - (time.monotonic() - asked)))
        if self._joining_since is not None and time.monotonic() - self._joining_since > JOIN_SECONDS:
            raise JoinLostError
        parcels = [parcel_of(record) for records in found.values() for record in records]
        if parcels and not self._no_more.is_set():
            for parcel in parcels:
                self._partition(parcel).began(parcel.offset)
            self._loop.call_soon_threadsafe(self._taken.put_nowait, parcels)
        while not self._done.empty():
            parcel = self._done.get()
            self._partition(parcel).done(parcel.offset)
        self._hold_or_go_on(consumer)
        self._commit(consumer)

    def _partition(self, parcel: Parcel) -> Unfinished:
        return self._partitions.setdefault(TopicPartition(parcel.topic, parcel.partition), Unfinished())

    def _open(self) -> int:
        return sum(len(unfinished) for unfinished in list(self._partitions.values()))

    def _hold_or_go_on(self, consumer: Any) -> None:
        """Full: nothing is fetched until a quarter of the room is free again."""
        opened = self._open()
        self._full = self._no_more.is_set() or opened >= (self._room * 3 // 4 if self._full else self._room)
        assigned = consumer.assignment()
        if self._full:
            consumer.pause(*assigned)
        elif consumer.paused():
            consumer.resume(*consumer.paused())

    def _commit(self, consumer: Any, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._committed_at < COMMIT_SECONDS:
            return
        self._committed_at = time.monotonic()
        assigned = consumer.assignment()
        offsets = {
            partition: offset
            for partition, unfinished in list(self._partitions.items())
            if partition in assigned and (offset := unfinished.to_commit()) is not None
        }
        if offsets:
            consumer.commit({p: OffsetAndMetadata(o, "", -1) for p, o in offsets.items()}, timeout_ms=5_000)
            for partition, offset in offsets.items():
                if partition in self._partitions:
                    self._partitions[partition].committed(offset)
        self.lag = self._lag(consumer, assigned)

    def _lag(self, consumer: Any, assigned: set[TopicPartition]) -> int:
        """Records that nobody has fetched yet, as of the last fetch."""
        ends = {partition: consumer.highwater(partition) for partition in assigned}
        return sum(end - consumer.position(p, timeout_ms=1_000) for p, end in ends.items() if end is not None)

    def _revoked(self, partitions: set[TopicPartition]) -> None:
        """Called within a poll, where Kafka gives partitions to somebody else: no time for a commit."""
        self._joining_since = time.monotonic()
        for partition in partitions:
            self._partitions.pop(partition, None)
        gone = {(partition.topic, partition.partition) for partition in partitions}
        if gone and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._give_back, gone)

    def _assigned(self) -> None:
        """Called within a poll, when the group has settled: this worker may have got nothing."""
        self._joining_since = None

    def _drop(self, consumer: Any) -> None:
        """After an error that nobody knows: all that is not under way is read again by a new consumer."""
        if consumer is not None:
            self._partitions.clear()
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._give_back, None)
            try:
                consumer.close(autocommit=False, timeout_ms=2_000)
            except Exception as error:
                log.warning("the consumer does not close: %s", error)

    def _leave(self, consumer: Any) -> None:
        try:
            while not self._done.empty():
                parcel = self._done.get()
                self._partition(parcel).done(parcel.offset)
            self._commit(consumer, now=True)
            consumer.close(autocommit=False, timeout_ms=5_000)
        except KafkaError as error:
            log.warning("what is done could not be committed, and will be read again: %s", error)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, revoked: Callable[[set[TopicPartition]], None], assigned: Callable[[], None]) -> None:
        self._revoked, self._assigned = revoked, assigned

    def on_partitions_revoked(self, revoked: Any) -> None:
        self._revoked(set(revoked))

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._assigned()

    def on_partitions_lost(self, lost: Any) -> None:
        self._revoked(set(lost))


def parcel_of(record: Any) -> Parcel:
    """kafka-python's ConsumerRecord."""
    key = record.key.decode("utf-8", "replace") if record.key is not None else None
    return Parcel(record.topic, record.partition, record.offset, key, record.value or b"", max(0, record.timestamp))
