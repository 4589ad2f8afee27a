"""`kairos gateway` as a process, what is sent to it, and what Kafka has of that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaConsumer, TopicPartition

from harness.job import PATIENCE_SECONDS
from kairos.adapters.sources.port import key_hash
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.engine.rule.model import EventSchema, Source


def unique(word: str) -> str:
    return f"{word}_{uuid.uuid4().hex[:8]}"


def now() -> int:
    return time.time_ns() // 1_000_000


def eventually(seen: Callable[[], Any]) -> Any:
    """Polls until there is something; fails where there is not."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while not (found := seen()):
        assert time.monotonic() < limit, f"nothing after {PATIENCE_SECONDS} s"
        time.sleep(0.05)
    return found


class GatewayProcess:
    """Over the sources at an address, or else a store of its own, in SQLite; its conf file stays the same from start to
    start."""

    def __init__(
        self, folder: Path, kafka: str, redis: str | None = None, arguments: Sequence[str] = (), address: str = ""
    ) -> None:
        self._arguments = arguments
        folder.mkdir(parents=True, exist_ok=True)
        self.address = address or f"sqlite:///{folder}/control.db"
        self.store = SqlSourceStore(self.address)
        self.conf = folder / "conf.json"  # JSON is YAML
        gateway = {"port": 0, "sources": self.address}
        conf = {"kafka": {"bootstrap": kafka}, "gateway": gateway, "profiles": {"redis": redis}}
        conf["rules"] = {"store": self.address}
        self.conf.write_text(json.dumps(conf))
        self._log = folder / "gateway.log"
        self._kafka = kafka
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def source(self, events: dict[str, EventSchema], identity: Any = "user_id") -> str:
        """A new one, which a running gateway knows by then; returns its name, which is its API key too."""
        name = unique("shop")
        self.store.put(Source(name, events, identity=identity), "tests")
        self.store.add_key(name, key_hash(name), "", "tests")
        if self.process is not None:
            eventually(lambda: self.post([], name).is_success)
        return name

    def start(self) -> GatewayProcess:
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "kairos", "gateway", "--conf", str(self.conf), *self._arguments]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ))
        self.url = eventually(self._address)
        return self

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def _address(self) -> str:
        assert self.process is not None
        assert self.process.poll() is None, f"the gateway has ended:\n{self.said()}"
        return self.said().partition("takes events at ")[2].partition("\n")[0]

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As an operator does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def post(self, content: Any, key: str, path: str = "/v1/events", **headers: str) -> httpx.Response:
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        return httpx.post(self.url + path, content=sent, headers={"x-api-key": key, **headers}, timeout=60)

    def records(self, source: str) -> list[dict[str, Any]]:
        """All events that Kafka has of the source now, with `key`, `ts` and `place` of their records."""
        return read_all(self._kafka, f"events.{source}")

    def count(self, source: str) -> int:
        """How many they are, by Kafka's offsets, heartbeats with them: however many, at the same cost."""
        consumer = KafkaConsumer(bootstrap_servers=self._kafka)
        try:
            return sum(consumer.end_offsets(places_of(consumer, f"events.{source}")).values())
        finally:
            consumer.close()


@contextmanager
def running(
    folder: Path, kafka: str, redis: str | None = None, arguments: Sequence[str] = (), address: str = ""
) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(folder, kafka, redis, arguments, address)
    try:
        yield gateway.start()
    finally:
        if gateway.process is not None and gateway.process.poll() is None:
            gateway.kill()


def places_of(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]


def read_all(kafka: str, topic: str, *, keyless: bool = False) -> list[dict[str, Any]]:
    """Up to the end as it is at the call; heartbeats are left out. `keyless`: those without key, and nothing else."""
    consumer = KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    try:
        places = places_of(consumer, topic)
        ends = consumer.end_offsets(places)
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        found = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                found += [
                    {
                        **json.loads(record.value),
                        "key": (record.key or b"").decode(),
                        "ts": record.timestamp,
                        "place": f"{topic}/{record.partition}@{record.offset}",
                    }
                    for record in records
                    if keyless == (record.key is None)
                ]
        return found
    finally:
        consumer.close()
