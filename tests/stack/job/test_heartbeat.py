"""Heartbeats reach every partition there is, and say nothing that is not so."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from harness.job import PATIENCE_SECONDS
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.heartbeat import Heartbeat
from kairos.apps.stack import Stack
from kairos.engine.topics import HEARTBEAT

pytestmark = pytest.mark.stack


def read_until(bootstrap: str, topic: str, partitions: int, enough: Callable[[dict[int, list[ConsumerRecord]]], bool]):
    """Records of each partition from the beginning, until there is enough."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    places = [TopicPartition(topic, number) for number in range(partitions)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    found: dict[int, list[ConsumerRecord]] = defaultdict(list)
    limit = time.monotonic() + PATIENCE_SECONDS
    try:
        while not enough(found):
            assert time.monotonic() < limit, f"after {PATIENCE_SECONDS} s there is only {dict(found)}"
            for place, records in consumer.poll(timeout_ms=500).items():
                found[place.partition].extend(records)
        return found
    finally:
        consumer.close()


def new_topic(stack: Stack, partitions: int, prefix: str = "events.") -> str:
    topic = f"{prefix}{uuid.uuid4().hex[:8]}"
    create_topics(stack.settings.kafka, [topic], partitions)
    return topic


def test_a_topic_made_later_gets_them_in_all_partitions_and_new_ones(stack: Stack) -> None:
    topic = new_topic(stack, partitions=2)
    found = read_until(stack.settings.kafka, topic, 2, lambda found: all(len(found[n]) >= 2 for n in range(2)))
    for records in found.values():
        assert {(record.key, record.value) for record in records} == {(None, HEARTBEAT)}
        stamps = [record.timestamp for record in records]
        assert stamps == sorted(stamps)
        assert stamps[-1] <= time.time() * 1000

    admin = KafkaAdminClient(bootstrap_servers=stack.settings.kafka)
    try:
        admin.create_partitions({topic: 3})
    finally:
        admin.close()
    assert read_until(stack.settings.kafka, topic, 3, lambda found: len(found[2]) >= 1)


def test_a_partition_that_the_producer_has_not_heard_of_ends_nothing(stack: Stack) -> None:
    topic = new_topic(stack, partitions=1)
    heart, admin = (
        Heartbeat(KafkaAddress(stack.settings.kafka)),
        KafkaAdminClient(bootstrap_servers=stack.settings.kafka),
    )
    try:
        before = heart.beat()
        admin.create_partitions({topic: 2})
        assert heart.beat() >= before
    finally:
        heart.close()
        admin.close()


def test_only_what_the_job_reads(stack: Stack) -> None:
    other = new_topic(stack, partitions=1, prefix="other.events.")
    events = new_topic(stack, partitions=1)
    read_until(stack.settings.kafka, events, 1, lambda found: len(found[0]) >= 2)
    consumer = KafkaConsumer(bootstrap_servers=stack.settings.kafka)
    try:
        place = TopicPartition(other, 0)
        consumer.assign([place])
        assert consumer.end_offsets([place]) == {place: 0}
    finally:
        consumer.close()


@pytest.mark.slow
def test_they_resume_after_an_absence_of_kafka_without_making_up_for_it(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack("kafka", "heartbeat")
    topic = new_topic(stack, partitions=1)
    read_until(stack.settings.kafka, topic, 1, lambda found: len(found[0]) >= 2)
    stack.kill("kafka")
    gone = time.time() * 1000
    while next(row.state for row in stack.status() if row.name == "heartbeat") == "up":
        assert time.time() * 1000 < gone + PATIENCE_SECONDS * 1000, "the heartbeat does not notice"
    back = time.time() * 1000
    stack.up(["kafka"])

    found = read_until(stack.settings.kafka, topic, 1, lambda found: bool(found[0]) and found[0][-1].timestamp > back)

    stamps = [record.timestamp for record in found[0]]
    assert stamps == sorted(stamps)
    assert not [stamp for stamp in stamps if gone < stamp < back]
