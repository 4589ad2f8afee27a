"""Members of consumer groups that come and go, and a broker that does: none is deaf, and nothing is left out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from harness.job import now
from kairos.adapters.delivery.mailbox_kafka import KafkaMailbox
from kairos.adapters.kafka.posts import KafkaAwayError, KafkaPosts
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.post import Post
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]

TOPIC = "handed-over.sms"
HANDOVERS = 8
RESTARTS = 3
MEMBERS = 12
PATIENCE_SECONDS = 60.0


class Writer(threading.Thread):
    """A record every few milliseconds, until told to stop; again while Kafka does not take it."""

    def __init__(self, kafka: KafkaAddress) -> None:
        super().__init__(daemon=True)
        self.stopped = threading.Event()
        self.written: set[str] = set()
        self._posts = KafkaPosts(kafka, "", "writer")
        self.start()

    def run(self) -> None:
        while not self.stopped.wait(0.01):
            user = f"u{len(self.written)}"
            with suppress(KafkaAwayError):
                self._posts.write([Post(TOPIC, user, b"{}", now())])
                self.written.add(user)


class Reader:
    """A member that acknowledges what it takes. `taken`: users, of all members together."""

    def __init__(self, kafka: KafkaAddress, taken: set[str], group: str = "handed-over") -> None:
        self._mailbox = KafkaMailbox(kafka, TOPIC, group, 100)
        self._taken = taken
        self.heard = asyncio.Event()
        self._mailbox.start(lambda _partitions: None)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while parcels := await self._mailbox.take():
            self.heard.set()
            for parcel in parcels:
                self._taken.add(str(parcel.key))
                self._mailbox.done(parcel)

    async def leave(self) -> None:
        self._mailbox.stop()
        await self._reading
        await self._mailbox.close()


async def hand_over(kafka: KafkaAddress, taken: set[str], chance: Random) -> Reader:
    """Each goes while the next one is joining, sooner or later."""
    reader = Reader(kafka, taken)
    for _ in range(HANDOVERS):
        await asyncio.wait_for(reader.heard.wait(), PATIENCE_SECONDS)
        following = Reader(kafka, taken)
        with suppress(TimeoutError):
            await asyncio.wait_for(following.heard.wait(), chance.choice((0.0, 0.3, 0.8, 1.5)))
        await reader.leave()
        reader = following
    return reader


def test_a_group_that_is_handed_on(stack: Stack) -> None:
    kafka = KafkaAddress(stack.settings.kafka)
    create_topics(kafka.bootstrap, [TOPIC], 2)
    taken: set[str] = set()

    async def scenario() -> None:
        writer = Writer(kafka)
        last = await hand_over(kafka, taken, Random(7))
        writer.stopped.set()
        await asyncio.to_thread(writer.join)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while writer.written - taken:
                last.heard.clear()
                await last.heard.wait()
        await last.leave()

    asyncio.run(scenario())


def test_a_broker_that_is_restarted(own_stack: Callable[..., Stack]) -> None:
    """A broker that is about to go may say that there are no brokers: versions of librdkafka believed it for good."""
    own = own_stack("kafka")
    kafka = KafkaAddress(own.settings.kafka)
    create_topics(kafka.bootstrap, [TOPIC], 2)
    taken: list[set[str]] = [set() for _ in range(MEMBERS)]

    def restart() -> None:
        own.down(["kafka"])
        own.up(["kafka"])

    async def scenario() -> None:
        writer = Writer(kafka)
        readers = [Reader(kafka, users, f"group-{number}") for number, users in enumerate(taken)]
        for _ in range(RESTARTS):
            await asyncio.to_thread(restart)
            before = set(writer.written)
            async with asyncio.timeout(PATIENCE_SECONDS):
                for reader, users in zip(readers, taken, strict=True):
                    while not (writer.written & users) - before:
                        reader.heard.clear()
                        await reader.heard.wait()
        writer.stopped.set()
        for reader in readers:
            await reader.leave()

    asyncio.run(scenario())
