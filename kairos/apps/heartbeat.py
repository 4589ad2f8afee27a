"""A heartbeat record a second into every partition of the topics that the job reads.

Event time moves only as far as each partition has been read, so silence must be said: a heartbeat stamped t in a
partition means that what is older than t (less the lateness) stands before it. While Kafka is away nothing is said, and
nothing fires.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError

from kairos.adapters.kafka.client import client_options
from kairos.adapters.metrics.declared import HEARTBEAT as METRICS
from kairos.adapters.metrics.declared import LAST_ROUND, PARTITIONS, ROUNDS
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.process import begin, on_stop
from kairos.apps.status.health import Health
from kairos.apps.status.server import serving
from kairos.engine.topics import HEARTBEAT

INTERVAL_SECONDS = 1.0
BROKER_SECONDS = 5
"""How long a round waits for the broker before it is given up: the next one says a newer time anyway."""

log = logging.getLogger(__name__)


class Heartbeat:
    """One connection to Kafka. `beat` raises KafkaError when the broker is away; the next one tries again."""

    def __init__(self, kafka: KafkaAddress, clock: Callable[[], float] = time.time) -> None:
        """Raises KafkaError, and SettingsError for properties that it cannot honour. `clock`: epoch seconds."""
        limit = BROKER_SECONDS * 1000
        options = {**client_options(kafka), "client_id": "kairos-heartbeat"}
        options |= {"bootstrap_timeout_ms": limit, "request_timeout_ms": limit}
        self._clock = clock
        self._read = re.compile(kafka.reads)
        self._admin = KafkaAdminClient(**options)
        # Not idempotent and no retries: a beat that did not arrive is not worth an order or a second try.
        self._producer = KafkaProducer(
            **options,
            acks=1,
            enable_idempotence=False,
            retries=0,
            delivery_timeout_ms=limit,
            max_block_ms=limit,
            metadata_max_age_ms=1000,
            reconnect_backoff_max_ms=1000,
        )

    def beat(self) -> int:
        """One round over all partitions; returns how many. A new one is reached a round after the producer hears of it:
        asked for it sooner, the producer raises ValueError."""
        topics = [name for name in self._admin.list_topics() if self._read.fullmatch(name)]
        partitions = [(topic, number) for topic in topics for number in self._producer.partitions_for(topic) or ()]
        now = int(self._clock() * 1000)
        sent = [
            self._producer.send(topic, value=HEARTBEAT, partition=partition, timestamp_ms=now)
            for topic, partition in partitions
        ]
        for future in sent:
            future.get(timeout=BROKER_SECONDS)
        return len(sent)

    def close(self) -> None:
        """What is under way arrives, or is given up as a round is."""
        with suppress(KafkaError):
            self._producer.close(timeout=BROKER_SECONDS)
        self._admin.close()


class Watched(Protocol):
    """Hears how each round went."""

    def beaten(self, partitions: int) -> None: ...

    def missed(self, why: str) -> None: ...


class Unwatched:
    def beaten(self, partitions: int) -> None: ...

    def missed(self, why: str) -> None: ...


class Told:
    """By metrics and health; `note`: a file that says after each round how many partitions it reached."""

    def __init__(self, note: Path | None, clock: Callable[[], float] = time.time) -> None:
        self.metrics, self.health = Metrics(METRICS), Health()
        self._note, self._clock = note, clock

    def beaten(self, partitions: int) -> None:
        self.metrics.add(ROUNDS, outcome="done")
        self.metrics.set(PARTITIONS, partitions)
        self.metrics.set(LAST_ROUND, self._clock())
        self.health.works()
        if self._note is not None:
            self._note.write_text(f"{partitions} partitions")

    def missed(self, why: str) -> None:
        self.metrics.add(ROUNDS, outcome="failed")
        self.health.waits(why)


def run(kafka: KafkaAddress, stop: threading.Event, watched: Watched) -> None:
    """Beats until `stop`, through every absence of the broker. Raises SettingsError."""
    heart: Heartbeat | None = None
    away = False
    while not stop.is_set():
        started = time.monotonic()
        try:
            if heart is None:
                heart = Heartbeat(kafka)
            watched.beaten(heart.beat())
            if away:
                log.warning("Kafka at %s is back", kafka.bootstrap)
            away = False
        except KafkaError as error:
            watched.missed(f"Kafka at {kafka.bootstrap} does not answer: {error}")
            if not away:
                log.warning("no heartbeats: Kafka at %s does not answer: %s", kafka.bootstrap, error)
            away = True
            if heart is not None:
                heart.close()
                heart = None
        stop.wait(max(0.0, INTERVAL_SECONDS - (time.monotonic() - started)))
    if heart is not None:
        heart.close()


def main(kafka: KafkaAddress, note: Path | None = None, status: str | None = None) -> None:
    """Until SIGTERM or SIGINT. `note`: as in Told. `status`: where it tells of itself. Raises SettingsError."""
    begin(logging.WARNING, "heartbeat")
    stop = threading.Event()
    on_stop(stop.set)
    told = Told(note)
    with serving(status, told.metrics, told.health):
        run(kafka, stop, told)
