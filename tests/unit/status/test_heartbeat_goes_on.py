"""A broker that answers nothing, not even to a producer that is closed, ends no heartbeat."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps import heartbeat


class Admin:
    def __init__(self, **_: Any) -> None:
        self.closed = False

    def list_topics(self) -> list[str]:
        return ["events.shop"]

    def close(self) -> None:
        self.closed = True


class Producer:
    """The first there is never gets an answer."""

    made: Iterator[int] = iter(())

    def __init__(self, **_: Any) -> None:
        self._stuck = next(self.made) == 0

    def partitions_for(self, topic: str) -> set[int]:
        if self._stuck:
            raise KafkaTimeoutError("no metadata")
        return set()

    def close(self, timeout: float) -> None:
        if self._stuck:
            raise KafkaTimeoutError("Timeout waiting for future")


class Until:
    """Stops at the first round that is done."""

    def __init__(self) -> None:
        self.stop, self.missed_rounds = threading.Event(), 0

    def beaten(self, partitions: int) -> None:
        self.stop.set()

    def missed(self, why: str) -> None:
        self.missed_rounds += 1


def test_a_producer_that_cannot_be_closed_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "KafkaAdminClient", Admin)
    monkeypatch.setattr(heartbeat, "KafkaProducer", Producer)
    monkeypatch.setattr(heartbeat, "INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(Producer, "made", iter(range(2)))
    watched = Until()
    heartbeat.run(KafkaAddress("127.0.0.1:1"), watched.stop, watched)
    assert watched.missed_rounds == 1
