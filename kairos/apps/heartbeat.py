"""A heartbeat record a second into every partition of the topics that the job reads.

Event time moves only as far as each partition has been read, so silence must be said: a heartbeat stamped t in a
partition means that what is older than t (less the lateness) stands before it. While Kafka is away nothing is said, and
nothing fires.
"""

from __future__ import annotations

import logging
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError

VALUE = b'{"type":"heartbeat"}'
"""Key null; the record's timestamp is the beat."""

TOPICS = re.compile(r"events\..*|receipts")
INTERVAL_SECONDS = 1.0
BROKER_SECONDS = 5
"""How long a round waits for the broker before it is given up: the next one says a newer time anyway."""

log = logging.getLogger(__name__)


class Heartbeat:
    """One connection to Kafka. `beat` raises KafkaError when the broker is away; the next one tries again."""

    def __init__(self, bootstrap: str, clock: Callable[[], float] = time.time) -> None:
        """Raises KafkaError. `clock`: epoch seconds."""
        limit = BROKER_SECONDS * 1000
        self._clock = clock
        self._admin = KafkaAdminClient(
            bootstrap_servers=bootstrap,
            client_id="kairos-heartbeat",
            bootstrap_timeout_ms=limit,
            request_timeout_ms=limit,
        )
        # Not idempotent and no retries: a beat that did not arrive is not worth an order or a second try.
        self._producer = KafkaProducer(
            bootstrap_servers=bootstrap,
            client_id="kairos-heartbeat",
            acks=1,
            enable_idempotence=False,
            retries=0,
            bootstrap_timeout_ms=limit,
            request_timeout_ms=limit,
            delivery_timeout_ms=limit,
            max_block_ms=limit,
            metadata_max_age_ms=1000,
            reconnect_backoff_max_ms=1000,
        )

    def beat(self) -> int:
        """One round over all partitions; returns how many. A new one is reached a round after the producer hears of it:
        asked for it sooner, the producer raises ValueError."""
        topics = [name for name in self._admin.list_topics() if TOPICS.fullmatch(name)]
        partitions = [(topic, number) for topic in topics for number in self._producer.partitions_for(topic) or ()]
        now = int(self._clock() * 1000)
        sent = [
            self._producer.send(topic, value=VALUE, partition=partition, timestamp_ms=now)
            for topic, partition in partitions
        ]
        for future in sent:
            future.get(timeout=BROKER_SECONDS)
        return len(sent)

    def close(self) -> None:
        self._producer.close(timeout=1)
        self._admin.close()


def run(bootstrap: str, stop: threading.Event, beaten: Callable[[int], None]) -> None:
    """Beats until `stop`, through every absence of the broker; calls `beaten` with the partitions of each round."""
    heart: Heartbeat | None = None
    away = False
    while not stop.is_set():
        started = time.monotonic()
        try:
            if heart is None:
                heart = Heartbeat(bootstrap)
            beaten(heart.beat())
            if away:
                log.warning("Kafka at %s is back", bootstrap)
            away = False
        except KafkaError as error:
            if not away:
                log.warning("no heartbeats: Kafka at %s does not answer: %s", bootstrap, error)
            away = True
            if heart is not None:
                heart.close()
                heart = None
        stop.wait(max(0.0, INTERVAL_SECONDS - (time.monotonic() - started)))
    if heart is not None:
        heart.close()


def main(bootstrap: str, note: Path | None = None) -> None:
    """Until SIGTERM or SIGINT. `note`: a file that says after each round how many partitions it reached."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of it is said by `run`, once
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def beaten(partitions: int) -> None:
        if note is not None:
            note.write_text(f"{partitions} partitions")

    run(bootstrap, stop, beaten)
