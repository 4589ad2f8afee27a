"""A gateway process over a database of sources, and what Kafka has of what it acknowledged."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx
import msgspec
import psutil
from kafka import KafkaConsumer, TopicPartition

from kairos.apps.native.ports import free_ports
from kairos.apps.stack import StackSettings

PATIENCE_SECONDS = 60.0


class GatewayRun:
    """Takes events from when it is entered on, at `url`."""

    def __init__(self, folder: Path, sources: str, servers: StackSettings, redis: str | None = None) -> None:
        port = free_ports(1)[0]
        conf = {"port": port, "sources": sources}
        self._conf = folder / "conf.json"
        self._conf.write_bytes(
            msgspec.json.encode({"kafka": {"bootstrap": servers.kafka}, "gateway": conf, "profiles": {"redis": redis}})
        )
        self._kafka = servers.kafka
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> GatewayRun:
        self._process = subprocess.Popen([sys.executable, "-m", "kairos", "gateway", "--conf", str(self._conf)])
        self._usage = psutil.Process(self._process.pid)
        limit = time.monotonic() + PATIENCE_SECONDS
        while not self._ready():
            if time.monotonic() > limit:
                raise RuntimeError("the gateway does not answer")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready").is_success
        except httpx.TransportError:
            return False

    @property
    def processor(self) -> float:
        """Seconds that it has used."""
        used = self._usage.cpu_times()
        return float(used.user + used.system)

    @property
    def memory(self) -> int:
        """Bytes."""
        return int(self._usage.memory_info().rss)

    def count(self, *sources: str) -> int:
        """Events of these that Kafka has."""
        consumer = KafkaConsumer(bootstrap_servers=self._kafka)
        topics = [f"events.{source}" for source in sources]
        places = [TopicPartition(topic, n) for topic in topics for n in consumer.partitions_for_topic(topic) or ()]
        there = sum(consumer.end_offsets(places).values())
        consumer.close()
        return int(there)
