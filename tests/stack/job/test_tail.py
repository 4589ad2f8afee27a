"""What reads on in topics: from a moment on, each record once, whatever the broker and the reader go through."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from harness.job import PARTITIONS, Topics, eventually, now
from kairos.adapters.kafka.receipts import IDLE, KafkaReceipts
from kairos.adapters.kafka.rollouts import KafkaRollouts
from kairos.adapters.kafka.tail import Tail
from kairos.adapters.kafka.topics import KafkaUnreachableError, create_topics
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.stack import Stack

pytestmark = pytest.mark.stack

BASE = 1_763_778_000_000


class Place:
    """Topics `<prefix>decisions` and `<prefix>receipts`, and who writes to them."""

    def __init__(self, bootstrap: str, prefix: str | None = None) -> None:
        self.prefix = prefix or f"t{uuid.uuid4().hex[:8]}."
        self.kafka = KafkaAddress(bootstrap=bootstrap, prefix=self.prefix)
        self.topics = Topics(bootstrap)
        create_topics(bootstrap, [f"{self.prefix}decisions", f"{self.prefix}receipts"], PARTITIONS)

    def write(self, topic: str, *times: int) -> None:
        for at in times:
            self.topics.send_raw(f"{self.prefix}{topic}", f"u{at}", str(at).encode(), at)
        self.topics.flush()


@pytest.fixture
def place(stack: Stack) -> Iterator[Place]:
    place = Place(stack.settings.kafka)
    yield place
    place.topics.close()


def read(tail: Tail, since: int) -> list[tuple[str, int]]:
    return [(topic, int(record.value)) for topic, record in tail.read(since)]


def until(tail: Tail, since: int, count: int) -> list[tuple[str, int]]:
    """So many at least, sorted."""
    found: list[tuple[str, int]] = []

    def heard() -> list[tuple[str, int]]:
        with suppress(KafkaUnreachableError):
            found.extend(read(tail, since))
        return found

    return sorted(eventually(heard, lambda all_: len(all_) >= count))


def test_it_begins_at_a_moment_and_goes_on_where_it_was(place: Place) -> None:
    tail = Tail(place.kafka, ["decisions", "receipts"])
    place.write("decisions", *range(BASE, BASE + 20))
    place.write("receipts", BASE, BASE + 15)
    wanted = [("decisions", at) for at in range(BASE + 10, BASE + 20)]
    assert until(tail, BASE + 10, 11) == [*wanted, ("receipts", BASE + 15)]
    place.write("decisions", *range(BASE + 20, BASE + 30), BASE + 5)
    wanted = [("decisions", at) for at in (BASE + 5, *range(BASE + 20, BASE + 30))]
    assert until(tail, BASE + 10, 11) == wanted, "what is written late is read, once"
    tail.close()
    assert until(tail, BASE + 29, 1) == [("decisions", BASE + 29)], "closed, it begins anew"
    tail.close()
    assert read(tail, now()) == []
    place.write("receipts", BASE + 50)
    assert until(tail, now(), 1) == [("receipts", BASE + 50)], "nothing had come; from there on all is read"
    tail.close()


def test_topics_that_come_later_are_read(stack: Stack) -> None:
    kafka = KafkaAddress(bootstrap=stack.settings.kafka, prefix=f"t{uuid.uuid4().hex[:8]}.")
    tail = Tail(kafka, ["receipts"])
    assert read(tail, BASE) == []
    place = Place(kafka.bootstrap, kafka.prefix)
    place.write("receipts", BASE)
    assert until(tail, BASE, 1) == [("receipts", BASE)]
    tail.close()
    place.topics.close()


def test_nothing_is_lost_where_the_broker_goes_and_comes(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack("kafka")
    place = Place(stack.settings.kafka)
    tail = Tail(place.kafka, ["decisions"])
    place.write("decisions", BASE)
    assert until(tail, BASE, 1) == [("decisions", BASE)]
    stack.kill("kafka")
    with suppress(KafkaUnreachableError):
        assert read(tail, BASE) == []
    stack.up(["kafka"])
    place.write("decisions", BASE + 1)
    assert ("decisions", BASE + 1) in until(tail, BASE, 1)
    tail.close()
    place.topics.close()


def test_what_became_of_a_rollout_and_of_a_run(place: Place) -> None:
    """As the job and the workers write it."""
    decision = {"activity": "a", "version": "v", "user_id": "u", "occurrence": "o", "outcome": "send"}
    receipt = {"type": "receipt", "props": {"activity": "a", "occurrence": "o", "attempt": 2, "status": "failed"}}
    rollouts, receipts = KafkaRollouts(place.kafka), KafkaReceipts(place.kafka)
    _send(place, "decisions", {**decision, "rollout": True}, decision, {"rollout": "x"})
    _send(place, "receipts", {**receipt, "user_id": "u"}, {"type": "heartbeat"})
    decided, became = found = list[Any](), list[Any]()

    def read() -> tuple[list[Any], list[Any]]:
        for known, more in zip(found, rollouts.read(BASE), strict=True):
            known += more
        return found

    eventually(read, all)
    assert [(one.user_id, one.occurrence, one.rollout) for one in decided] == [("u", "o", True)]
    assert [one for one in became if one.activity] == [
        msgspec.convert({**receipt["props"], "user_id": "u"}, type(became[0]))
    ]
    for _ in range(2):
        assert eventually(lambda: receipts.of("a", BASE, BASE), any) == (0, 1)
    assert receipts.of("a", BASE + 1, BASE) == (0, 0)
    assert eventually(lambda: receipts.of("a", BASE, BASE + IDLE), any) == (0, 1), "it is counted beside the other"
    receipts.of("b", BASE, BASE + 2 * IDLE)
    assert receipts._runs.keys() == {("a", BASE), ("b", BASE)}, "what nobody asks about is forgotten"
    rollouts.restart()
    receipts.close()


def _send(place: Place, topic: str, *values: Any) -> None:
    for value in values:
        place.topics.send_raw(f"{place.prefix}{topic}", "u", msgspec.json.encode(value), BASE)
    place.topics.flush()
