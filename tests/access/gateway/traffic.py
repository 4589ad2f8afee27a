"""Senders that never give up, and what Kafka must have of what was acknowledged to them."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import httpx

from tests.access.gateway.gateway_process import GatewayProcess, eventually, now

SENDERS = 3
BATCH = 20


class Door(Protocol):
    """Where they send to."""

    def post(self, content: Any, key: str) -> httpx.Response: ...


class Traffic:
    """Senders that repeat each batch until it is acknowledged, as clients do. `refusals`: how often they had to."""

    def __init__(self, door: Door, source: str) -> None:
        self._door, self._source = door, source
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
            return self._door.post(events, self._source).is_success
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
