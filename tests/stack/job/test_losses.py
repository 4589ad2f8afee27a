"""What Kafka deletes before a group has read it, on a real broker."""

from __future__ import annotations

import uuid

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from kairos.adapters.kafka.losses import LossWatch
from kairos.adapters.kafka.topics import create_topics
from kairos.apps.stack import Stack
from kairos.engine.loss import Loss

pytestmark = [pytest.mark.stack]


def test_what_is_deleted_before_it_is_read_is_told_once(stack: Stack) -> None:
    bootstrap = stack.settings.kafka
    name = f"lost-{uuid.uuid4().hex[:8]}"
    topic, place = f"events.{name}", TopicPartition(f"events.{name}", 0)
    create_topics(bootstrap, [topic], 1)
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for number in range(20):
        producer.send(topic, value=f"{number}".encode())
    producer.flush(30)
    producer.close()
    reader = KafkaConsumer(bootstrap_servers=bootstrap, group_id=name, enable_auto_commit=False)
    reader.assign([place])
    reader.commit({place: OffsetAndMetadata(5, "", -1)})
    reader.close()
    watch = LossWatch({"bootstrap_servers": bootstrap}, name, r"events\..*")
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        assert watch.look() == []
        admin.delete_records({place: 5})
        assert watch.look() == []
        admin.delete_records({place: 12})
        assert watch.look() == [Loss(name, topic, 0, 5, 11)]
        assert watch.look() == []
    finally:
        watch.close()
        admin.close()
