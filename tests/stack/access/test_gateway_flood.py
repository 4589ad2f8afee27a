"""One source floods a gateway over real Kafka: the other is served all the while, and thresholds act while it lasts."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.gateway.gateway_process import GatewayProcess, eventually, now, running

pytestmark = [pytest.mark.stack, pytest.mark.slow]

SENDERS = 4
BATCH = 2_000
SLOW = "gateway.slow=40ms"
"""A batch of the flood alone holds the gateway up for longer."""


def event(id_: str) -> dict[str, Any]:
    return {"id": id_, "type": "view", "user_id": id_, "time": now()}


class Flood:
    """Sends large batches without a pause, and does not listen to what it is told. `answers`: by (status, code)."""

    def __init__(self, gateway: GatewayProcess, source: str) -> None:
        self.answers: Counter[tuple[int, str]] = Counter()
        self._url, self._source = f"{gateway.url}/v1/events", source
        self._body = json.dumps([event(str(number)) for number in range(BATCH)]).encode()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        with httpx.Client(headers={"x-api-key": self._source}, timeout=60) as client:
            while not self._stop.is_set():
                answer = client.post(self._url, content=self._body)
                self.answers[answer.status_code, answer.json().get("code", "")] += 1
                self._stop.wait(0.02)  # two cores are shared with those who are to be served

    def until(self, status: int, code: str) -> None:
        """One more is answered so."""
        before = self.answers[status, code]
        eventually(lambda: self.answers[status, code] > before)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


class Steady:
    """One event at a time, eight a second. `refused`: what it was told instead of "taken"."""

    def __init__(self, gateway: GatewayProcess, source: str) -> None:
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self._gateway, self._source = gateway, source
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        number = 0
        while not self._stop.wait(0.125):
            answer = self._gateway.post(event(f"s{number}"), self._source)
            (self.acknowledged if answer.is_success else self.refused).append(f"s{number}")
            number += 1

    def until_more(self, count: int) -> None:
        target = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= target)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


Sender = TypeVar("Sender", Flood, Steady)


@contextmanager
def sending(who: Sender) -> Iterator[Sender]:
    try:
        yield who
    finally:
        who.stop()


def test_a_flood_of_one_source_is_shed_and_limited_and_the_other_is_served(stack: Stack, tmp_path: Path) -> None:
    with running(tmp_path, stack.settings.kafka, arguments=["--set", SLOW]) as gateway:
        shop, bulk = (gateway.source({"view": EventSchema({})}) for _ in range(2))
        gateway.store.set(bulk, {"rate": 1}, "slow", "tests")
        with sending(Steady(gateway, shop)) as steady:
            steady.until_more(16)
            with sending(Flood(gateway, bulk)) as flood:
                flood.until(429, "too_fast")
                steady.until_more(16)
                gateway.store.set(bulk, {"rate": None}, "no limit", "tests")
                flood.until(200, "")
                flood.until(503, "shed")
                steady.until_more(16)
                gateway.store.set(bulk, {"enabled": False}, "off", "tests")
                flood.until(403, "disabled_source")
                taken = flood.answers[200, ""]
                steady.until_more(8)
                assert flood.answers[200, ""] <= taken + SENDERS  # those that had begun before
            steady.until_more(8)
        assert steady.refused == []
        shed = httpx.get(f"{gateway.url}/metrics", timeout=60).text
        assert f'kairos_gateway_shed_total{{source="{bulk}"}}' in shed
        assert f'kairos_gateway_shed_total{{source="{shop}"}}' not in shed
        assert {record["id"] for record in gateway.records(shop)} == set(steady.acknowledged)
        assert len(gateway.records(bulk)) == flood.answers[200, ""] * BATCH > 0
