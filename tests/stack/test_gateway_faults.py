"""Gateway and Kafka killed hard in the middle of traffic: what was acknowledged is in Kafka, and the rest comes in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.gateway_process import GatewayProcess, eventually, now, read_all, running

pytestmark = [pytest.mark.stack, pytest.mark.slow]

SENDERS = 3
BATCH = 20


class Traffic:
    """Senders that repeat each batch until it is acknowledged, as clients do. `refusals`: how often they had to."""

    def __init__(self, gateway: GatewayProcess, source: str) -> None:
        self._gateway, self._source = gateway, source
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.acknowledged: set[str] = set()
        self.sent: set[str] = set()
        self.refusals = 0
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _send(self, sender: int) -> None:
        number = 0
        while not self._stop.is_set():
            ids = [f"{sender}-{number}-{place}" for place in range(BATCH)]
            events = [{"id": id_, "type": "view", "user_id": id_, "time": now()} for id_ in ids]
            with self._lock:
                self.sent.update(ids)
            while not self._taken(events):
                with self._lock:
                    self.refusals += 1
                if self._stop.wait(0.1):
                    return
            with self._lock:
                self.acknowledged.update(ids)
            number += 1

    def _taken(self, events: list[dict[str, object]]) -> bool:
        try:
            return self._gateway.post(events, self._source).is_success
        except httpx.TransportError:
            return False

    def until_more(self, count: int = 500) -> None:
        """So many more are acknowledged."""
        target = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= target)

    def until_refused(self) -> None:
        before = self.refusals
        eventually(lambda: self.refusals > before)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def check_nothing_acknowledged_is_missing(gateway: GatewayProcess, source: str, traffic: Traffic) -> None:
    there = {record["id"] for record in gateway.records(source)}
    assert len(traffic.acknowledged) > 1_000
    assert traffic.acknowledged - there == set()
    assert there - traffic.sent == set()


def test_the_gateway_is_killed(stack: Stack, tmp_path: Path) -> None:
    with running(tmp_path, stack.settings.kafka) as gateway:
        source = gateway.source({"view": EventSchema({})})
        traffic = Traffic(gateway, source)
        try:
            for _ in range(3):
                traffic.until_more()
                gateway.kill()
                gateway.start()
            traffic.until_more()
        finally:
            traffic.stop()
        check_nothing_acknowledged_is_missing(gateway, source, traffic)


def test_kafka_is_killed(own_stack: Callable[..., Stack], tmp_path: Path) -> None:
    stack = own_stack("kafka")
    with running(tmp_path, stack.settings.kafka, arguments=["--heartbeat"]) as gateway:
        source = gateway.source({"view": EventSchema({})})
        traffic = Traffic(gateway, source)
        try:
            traffic.until_more()
            stack.kill("kafka")
            traffic.until_refused()
            assert httpx.get(f"{gateway.url}/healthz", timeout=60).status_code == 503
            stack.up(["kafka"])
            traffic.until_more()
        finally:
            traffic.stop()
        check_nothing_acknowledged_is_missing(gateway, source, traffic)
        assert httpx.get(f"{gateway.url}/healthz", timeout=60).status_code == 200
        beats = read_all(stack.settings.kafka, f"events.{source}", keyless=True)
        eventually(lambda: len(read_all(stack.settings.kafka, f"events.{source}", keyless=True)) > len(beats))
