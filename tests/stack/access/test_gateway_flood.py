"""One source floods a gateway over real Kafka: the other is served all the while, and thresholds act while it lasts.

That all is slow is made so, by a Kafka that stands still: whether a flood makes it slow depends on the machine.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.gateway.gateway_process import GatewayProcess, eventually, now, running

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

SENDERS = 4
BATCH = 200
SLOW = "gateway.slow=2s"
"""Longer than a loaded machine takes for an event, and less than the gateway has for a Kafka that does not answer."""
PATIENCE_SECONDS = 60
"""More than that."""


def event(id_: str) -> dict[str, Any]:
    return {"id": id_, "type": "view", "user_id": id_, "time": now()}


class Flood:
    """Sends batches with hardly a pause, and does not listen to what it is told. `answers`: by (status, code)."""

    def __init__(self, gateway: GatewayProcess, source: str) -> None:
        self.answers: Counter[tuple[int, str]] = Counter()
        self._url, self._source = f"{gateway.url}/v1/events", source
        self._body = json.dumps([event(str(number)) for number in range(BATCH)]).encode()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        with httpx.Client(headers={"x-api-key": self._source}, timeout=PATIENCE_SECONDS) as client:
            while not self._stop.is_set():
                answer = client.post(self._url, content=self._body)
                code = "" if answer.is_success else answer.json()["code"]
                with self._lock:
                    self.answers[answer.status_code, code] += 1
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
    """One event at a time, sixteen a second at most; two, once it is `calm`: less than its usual, which nobody sheds
    before all that others send beyond theirs. `refused`: the codes that it was told instead of "taken"."""

    def __init__(self, gateway: GatewayProcess, source: str) -> None:
        self.acknowledged: list[str] = []
        self.sent: list[str] = []
        self.refused: list[str] = []
        self.calm = False
        self._url, self._source = f"{gateway.url}/v1/events", source
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        with httpx.Client(headers={"x-api-key": self._source}, timeout=PATIENCE_SECONDS) as client:
            while not self._stop.wait(0.5 if self.calm else 0.0625):
                id_ = f"s{len(self.sent)}"
                self.sent.append(id_)
                answer = client.post(self._url, json=event(id_))
                if answer.is_success:
                    self.acknowledged.append(id_)
                else:
                    self.refused.append(answer.json()["code"])

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


@contextmanager
def frozen(stack: Stack) -> Iterator[None]:
    stack.freeze("kafka")
    try:
        yield
    finally:
        stack.thaw("kafka")


def test_a_flood_of_one_source_is_shed_and_limited_and_the_other_is_served(
    own_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    stack = own_stack("kafka")
    with running(tmp_path, stack.settings.kafka, arguments=["--set", SLOW]) as gateway:
        shop, bulk = (gateway.source({"view": EventSchema({})}) for _ in range(2))
        gateway.store.set(bulk, {"rate": 1, "priority": 10}, "slow", "tests")
        with sending(Steady(gateway, shop)) as steady:
            steady.until_more(32)
            steady.calm = True
            with sending(Flood(gateway, bulk)) as flood:
                flood.until(429, "too_fast")
                steady.until_more(4)
                gateway.store.set(bulk, {"rate": None}, "no limit", "tests")
                flood.until(200, "")
                with frozen(stack):
                    flood.until(503, "shed")
                steady.until_more(4)
                gateway.store.set(bulk, {"enabled": False}, "off", "tests")
                flood.until(403, "disabled_source")
                taken = flood.answers[200, ""]
                steady.until_more(4)
                assert flood.answers[200, ""] <= taken + SENDERS  # those that had begun before
            steady.until_more(4)
        assert set(steady.refused) <= {"unavailable"}  # what Kafka did not take while it stood still
        metrics = httpx.get(f"{gateway.url}/metrics", timeout=PATIENCE_SECONDS).text
        assert f'kairos_gateway_shed_total{{source="{bulk}"}}' in metrics
        assert f'kairos_gateway_shed_total{{source="{shop}"}}' not in metrics
        there = {record["id"] for record in gateway.records(shop)}
        assert set(steady.acknowledged) <= there <= set(steady.sent)
        taken = flood.answers[200, ""] * BATCH
        perhaps = flood.answers[503, "unavailable"] * BATCH
        assert 0 < taken <= gateway.count(bulk) <= taken + perhaps
