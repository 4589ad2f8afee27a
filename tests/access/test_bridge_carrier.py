"""A bridge between a feed and a Kafka of the test's making: what is acknowledged, and when."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.adapters.sources.port import Access, Entry
from kairos.apps.bridges.carrier import LONGEST_PAUSE_SECONDS, Carrier
from kairos.apps.bridges.feed import MOST_BYTES, MOST_EVENTS, FeedLostError, batch_of
from kairos.engine.rule.model import EventSchema, Source
from kairos.usecases.intake.batch import Item
from tests.access.gateway.gateway_kit import NOW, Kit

SOURCE = Source("shop", {"order": EventSchema({})})
OFF = Source("shop", {"order": EventSchema({})}, enabled=False)


class MemoryQueue:
    """Gives out `batch` messages at a time; what a feed has not acknowledged is there again when it is closed."""

    def __init__(self, count: int, batch: int = 2) -> None:
        self.batch, self.count = batch, count
        self.waiting = [f'{{"id":"{n}","type":"order","user_id":"u","time":{NOW}}}'.encode() for n in range(count)]
        self.acknowledged: list[bytes] = []
        self.opened = 0
        self.refuses = 0
        self.lost = False

    async def open(self) -> MemoryFeed:
        if self.refuses:
            self.refuses -= 1
            raise FeedLostError("the queue is away")
        self.opened += 1
        self.lost = False
        return MemoryFeed(self)


class MemoryFeed:
    def __init__(self, queue: MemoryQueue) -> None:
        self._queue = queue
        self._taken: list[bytes] = []

    async def take(self) -> list[Item]:
        self._whole()
        await asyncio.sleep(0)
        batch = self._queue.waiting[: self._queue.batch]
        del self._queue.waiting[: self._queue.batch]
        self._taken += batch
        return [Item(body) for body in batch]

    async def done(self) -> None:
        self._whole()
        self._queue.acknowledged += self._taken
        self._taken = []

    async def close(self) -> None:
        self._queue.waiting = self._taken + self._queue.waiting

    def _whole(self) -> None:
        if self._queue.lost:
            raise FeedLostError("the connection is lost")


class Scene:
    """`steps`: what happens at each pause of the bridge, in turn. It is told to stop when all is acknowledged."""

    def __init__(self, queue: MemoryQueue, source: Source = SOURCE, rate: float | None = None) -> None:
        self.queue = queue
        self.kit = Kit(Entry(source, Access(rate=rate)))
        self.pauses: list[float] = []
        self.steps: list[Callable[[], None]] = []

    def become(self, *entries: Entry) -> None:
        self.kit.store.entries = list(entries)

    def play(self) -> None:
        asyncio.run(self._play())

    async def _play(self) -> None:
        stop = asyncio.Event()
        await self.kit.registry.refresh()

        async def pause(seconds: float) -> None:
            self.pauses.append(seconds)
            self.kit.now += int(seconds * 1000)
            if self.steps:
                self.steps.pop(0)()
            await self.kit.registry.refresh()

        carrier = Carrier("test", "shop", self.kit.registry, self.kit.intake, lambda: self.kit.now, stop, pause)
        running = asyncio.create_task(carrier.run(self.queue.open))
        async with asyncio.timeout(20):
            while len(self.queue.acknowledged) < self.queue.count:
                await asyncio.sleep(0)
            stop.set()
            await running

    def published(self) -> list[bytes]:
        return [record.value for record in self.kit.producer.records if record.topic == "events.shop"]


def test_all_is_carried_in_order_and_acknowledged() -> None:
    scene = Scene(MemoryQueue(5))
    scene.play()
    assert [event["id"] for event in scene.kit.producer.events("events.shop")] == list("01234")
    assert (len(scene.queue.acknowledged), scene.pauses) == (5, [])


def test_while_kafka_is_away_nothing_is_acknowledged_and_nothing_more_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(MemoryQueue(4))
    scene.kit.producer.away = True
    seen: list[tuple[int, int]] = []

    def look() -> None:
        seen.append((len(scene.queue.acknowledged), len(scene.queue.waiting)))

    def back() -> None:
        look()
        scene.kit.producer.away = False

    scene.steps = [*[look] * 8, back]
    with caplog.at_level(logging.INFO):
        scene.play()
    assert seen == [(0, 2)] * 9
    assert len(scene.queue.acknowledged) == len(scene.published()) == 4
    assert scene.pauses == sorted(scene.pauses)
    assert scene.pauses[-1] == LONGEST_PAUSE_SECONDS
    assert caplog.text.count("Kafka has not taken it") == caplog.text.count("goes on") == 1


def test_what_was_taken_when_the_source_was_switched_off_goes_back() -> None:
    scene = Scene(MemoryQueue(4))
    scene.kit.producer.away = True

    def off() -> None:
        scene.become(Entry(OFF))
        scene.kit.producer.away = False

    def look() -> None:
        assert (len(scene.queue.waiting), scene.queue.acknowledged, scene.published()) == (4, [], [])

    scene.steps = [off, look, look, lambda: scene.become(Entry(SOURCE))]
    scene.play()
    assert (len(scene.queue.acknowledged), scene.queue.opened) == (4, 2)


@pytest.mark.parametrize("nothing", [(), (Entry(OFF),)])
def test_without_its_source_the_feed_is_not_even_opened(nothing: tuple[Entry, ...]) -> None:
    scene = Scene(MemoryQueue(2))
    scene.become(*nothing)
    opened: list[int] = []
    scene.steps = [
        lambda: opened.append(scene.queue.opened),
        lambda: opened.append(scene.queue.opened),
        lambda: scene.become(Entry(SOURCE)),
    ]
    scene.play()
    assert opened == [0, 0]
    assert len(scene.queue.acknowledged) == 2


def test_a_queue_that_is_away_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(MemoryQueue(2))
    scene.queue.refuses = 7
    scene.play()
    assert len(scene.queue.acknowledged) == 2
    assert len(scene.pauses) == 7
    assert scene.pauses[-1] == LONGEST_PAUSE_SECONDS
    assert caplog.text.count("the queue is away; it waits") == 1


def test_a_source_sends_no_faster_than_it_may() -> None:
    scene = Scene(MemoryQueue(12), rate=2.0)
    scene.play()
    assert len(scene.queue.acknowledged) == 12
    assert NOW + 2_000 <= scene.kit.now <= NOW + 8_000
    assert all(seconds <= 1.0 for seconds in scene.pauses)


FAULTS = st.lists(st.sampled_from(["kafka", "back", "off", "on", "lost", "refuse"]), max_size=12)


@given(FAULTS, st.integers(1, 5), st.integers(0, 15))
def test_whatever_happens_only_what_kafka_has_is_acknowledged_and_nothing_is_lost(
    faults: Sequence[str], batch: int, count: int
) -> None:
    scene = Scene(MemoryQueue(count, batch), rate=5.0)  # so that there are pauses

    def check() -> None:
        assert set(ids(scene.queue.acknowledged)) <= set(ids(scene.published()))

    def step(fault: str) -> Callable[[], None]:
        def happen() -> None:
            check()
            if fault in ("kafka", "back"):
                scene.kit.producer.away = fault == "kafka"
            elif fault in ("off", "on"):
                scene.become(Entry(OFF if fault == "off" else SOURCE, Access(rate=5.0)))
            elif fault == "lost":
                scene.queue.lost = True
            else:
                scene.queue.refuses += 1

        return happen

    scene.steps = [step(fault) for fault in (*faults, "back", "on")]
    scene.play()
    check()
    assert ids(scene.queue.acknowledged) == sorted(set(ids(scene.published())), key=int)
    assert len(scene.queue.acknowledged) == count


def ids(values: Sequence[bytes]) -> list[str]:
    return [json.loads(value)["id"] for value in values]


def test_a_batch_has_a_bound_in_number_and_in_bytes() -> None:
    small = deque((Item(b"x"), n) for n in range(MOST_EVENTS + 1))
    assert [n for _, n in batch_of(small)] == list(range(MOST_EVENTS))
    assert [n for _, n in batch_of(small)] == [MOST_EVENTS]
    assert batch_of(small) == []
    large = deque((Item(b"x" * MOST_BYTES), n) for n in range(2))
    assert [n for _, n in batch_of(large)] == [0]
