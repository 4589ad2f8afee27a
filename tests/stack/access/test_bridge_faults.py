"""Bridges killed in the middle, Kafka and RabbitMQ stopped and killed: nothing is lost, and nothing acknowledged that
Kafka does not have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from kairos.adapters.kafka.topics import create_topics
from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema, Source
from tests.access.bridge_process import BridgePlace, Queue
from tests.access.gateway.gateway_process import eventually, now

pytestmark = [pytest.mark.stack, pytest.mark.slow]

COUNT = 6_000
RATES = {"rabbit": 60, "kafka": 200}
"""Events a second that each source may send: slow enough that every fault comes in the middle. A topic's batch is
larger than a queue's, and waits for longer afterwards."""
TOPIC = "foreign"
EVENTS = {"order": EventSchema({})}


class World:
    def __init__(self, folder: Path, stack: Stack) -> None:
        self.stack = stack
        self.place = BridgePlace(folder, stack)
        self.queue = Queue(stack.settings.rabbitmq_url)
        create_topics(stack.settings.kafka, [TOPIC, "events.rabbit", "events.kafka", "dead-letters"], 2)
        for source, rate in RATES.items():
            self.place.put(Source(source, EVENTS, mapping={"id": "no", "type": "kind", "user_id": "who"}))
            self.place.store.set(source, {"rate": rate}, "slow", "tests")

    def fill(self) -> None:
        bodies = [
            json.dumps({"no": number, "kind": "order", "who": number % 50, "time": now()}).encode()
            for number in range(COUNT)
        ]
        self.queue.publish(((body, {}) for body in bodies), confirmed=False)
        producer = KafkaProducer(bootstrap_servers=self.stack.settings.kafka)
        for number, body in enumerate(bodies):
            producer.send(TOPIC, value=body, partition=number % 2)
        producer.flush()
        producer.close()
        eventually(lambda: self.queue.ready() == COUNT)

    def has(self, source: str) -> set[int]:
        return {int(event["id"]) for event in self.place.events(source)}

    def written(self, source: str) -> int:
        """Records, some of which may be repeated."""
        consumer = KafkaConsumer(bootstrap_servers=self.stack.settings.kafka)
        try:
            return sum(
                consumer.end_offsets([TopicPartition(f"events.{source}", number) for number in range(2)]).values()
            )
        finally:
            consumer.close()

    def moves_on(self) -> None:
        """Both have carried some more, and not all."""
        before = {source: self.written(source) for source in RATES}
        for source, count in before.items():
            eventually(lambda source=source, count=count: self.written(source) > count)
        assert all(self.written(source) < COUNT for source in before), "too fast to be in the middle"

    def ends(self) -> None:
        """Each has carried all there is."""
        for source in RATES:
            self.place.store.set(source, {"rate": None}, "fast", "tests")
        for source in RATES:
            eventually(lambda source=source: self.written(source) >= COUNT and self.has(source) == set(range(COUNT)))

    def only_what_kafka_has_is_acknowledged(self) -> None:
        """With no bridge at work."""
        eventually(lambda: self.queue.consumers() == 0)
        assert COUNT - self.queue.ready() <= len(self.has("rabbit"))
        committed = self._committed()
        there = self.has("kafka")
        for partition, offset in committed.items():
            assert {2 * n + partition for n in range(offset)} <= there

    def _committed(self) -> dict[int, int]:
        group = f"kairos-bridge-kafka-{TOPIC}"
        consumer = KafkaConsumer(bootstrap_servers=self.stack.settings.kafka, group_id=group, enable_auto_commit=False)
        try:
            return {number: consumer.committed(TopicPartition(TOPIC, number)) or 0 for number in range(2)}
        finally:
            consumer.close()


def test_nothing_is_lost_whatever_falls_over(own_stack: Callable[..., Stack], tmp_path: Path) -> None:
    stack = own_stack("kafka", "rabbitmq")
    world = World(tmp_path, stack)
    world.fill()
    from_queue = ("rabbitmq", "--queue", world.queue.name, "--source", "rabbit")
    with (
        world.place.bridge(*from_queue) as rabbit,
        world.place.bridge("kafka", "--topic", TOPIC, "--source", "kafka") as kafka,
    ):
        world.moves_on()
        rabbit.kill()
        kafka.kill()
        world.only_what_kafka_has_is_acknowledged()

        rabbit.start()
        kafka.start()
        world.moves_on()
        stack.down(["kafka"])
        rabbit.says("Kafka has not taken it")
        stack.kill("rabbitmq")
        stack.up(["kafka", "rabbitmq"])
        rabbit.says("the connection to RabbitMQ")
        world.moves_on()
        world.ends()
        eventually(lambda: world.queue.ready() == 0)
        assert (rabbit.stop(), kafka.stop()) == (0, 0)
        assert world.queue.ready() == 0
        assert sum(world._committed().values()) == COUNT
        assert world.place.letters("rabbit") == world.place.letters("kafka") == []
