"""How far behind a worker is, told also while it fetches nothing: against the broker that librdkafka has for tests."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka import Producer

from harness.job import PATIENCE_SECONDS
from kairos.adapters.delivery.mailbox import Parcel
from kairos.adapters.delivery.mailbox_kafka import KafkaMailbox
from kairos.adapters.settings.kafka import KafkaAddress

TOPIC, ROOM = "deliveries.sms", 10


class Broker:
    def __init__(self) -> None:
        self._producer = Producer({"bootstrap.servers": "its-own", "test.mock.num.brokers": 1, "log_level": 3})
        (broker,) = self._producer.list_topics(timeout=10).brokers.values()
        self.address = f"{broker.host}:{broker.port}"

    def send(self, number: int) -> None:
        for _ in range(number):
            self._producer.produce(TOPIC, b"{}", key=b"u1", partition=0)
        assert self._producer.flush(10) == 0


def test_what_comes_while_the_room_is_full_is_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert asks whether it grows: as of the last fetch it stands still as long as nothing is fetched."""
    monkeypatch.setattr("kairos.adapters.delivery.mailbox_kafka.ASK_SECONDS", 0.0)
    broker = Broker()
    broker.send(30)

    async def scenario() -> None:
        mailbox = KafkaMailbox(KafkaAddress(broker.address), TOPIC, "workers", ROOM)
        mailbox.start(lambda _partitions: None)
        taken: list[Parcel] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(taken) < ROOM:
                taken += await mailbox.take()
            await until_behind(mailbox, 30 - len(taken))
            broker.send(40)
            await until_behind(mailbox, 70 - len(taken))
            fresh = taken
            while len(taken) < 70:
                for parcel in fresh:
                    mailbox.done(parcel)
                fresh = await mailbox.take()
                taken = [*taken, *fresh]
            await until_behind(mailbox, 0)
        mailbox.stop()
        await mailbox.close()

    asyncio.run(scenario())


async def until_behind(mailbox: KafkaMailbox, number: int) -> None:
    while mailbox.lag != number:
        await asyncio.sleep(0.01)
