"""Alarms on a live Kafka: messages that stop, by a clock that is an argument; a provider that fails, by the process."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from kairos.adapters.alarms.kafka import Reader
from kairos.adapters.alarms.letters import past_letters
from kairos.adapters.alarms.said import SaidFile
from kairos.adapters.coupons.redis import RedisCoupons
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.stack import Stack
from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.spec import Alarms, Change
from kairos.usecases.alarms.follow import Desk, Following, recall
from tests.unit.alarm.alarm_kit import HOUR, MINUTE, NOW, WEEK, begun, hourly, watching
from tests.unit.alarm.process_kit import says_that_five_per_cent_fail
from tests.unit.alarm.stock_kit import says_that_codes_run_low
from tests.unit.alarm.test_built_in import after_the_past
from tests.unit.warehouse.warehouse_kit import decision

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


class Topics:
    """Of one test alone."""

    def __init__(self, stack: Stack) -> None:
        self.kafka = KafkaAddress(stack.settings.kafka, prefix=f"a{uuid.uuid4().hex[:8]}-")
        create_topics(stack.settings.kafka, [self.kafka.prefix + name for name in ("decisions", "receipts")], 2)
        self._producer = KafkaProducer(bootstrap_servers=stack.settings.kafka)

    def send(self, topic: str, documents: Iterable[dict[str, Any]], at: int) -> None:
        for document in documents:
            key, value = document["user_id"].encode(), json.dumps(document).encode()
            self._producer.send(self.kafka.prefix + topic, value, key=key, timestamp_ms=at)
        self._producer.flush()


@pytest.fixture
def topics(stack: Stack) -> Topics:
    return Topics(stack)


def test_messages_that_stop_are_said_within_two_minutes(topics: Topics) -> None:
    """Twenty a minute for five weeks, and for ten minutes of Kafka; then the job decides nothing more."""
    clock, said = [NOW], list[Change]()
    reader = Reader(topics.kafka, NOW)
    try:
        watch, desk = after_the_past(), Desk(Alarms(), {}, SaidFile(None))
        following = Following(watch, desk, reader, lambda: clock[0], lambda: None, said.append, 0)
        for minute in range(20):
            if minute < 10:
                sends = [decision(clock[0], user_id=f"u{n}", version="v1") for n in range(20)]
                topics.send("decisions", sends, clock[0])
            clock[0] += MINUTE
            for _ in range(4):  # what was written is there after the first of them that comes back with something
                asyncio.run(following.round())
    finally:
        reader.close()
    alarm = said[0]
    assert (alarm.alarm, alarm.subject, alarm.channel) == ("SendsStopped", "hello", "sms"), said
    assert alarm.runbook == "docs/runbooks/SendsStopped.md"
    assert NOW + 10 * MINUTE < alarm.at <= NOW + 12 * MINUTE
    assert len(said) == 1


def test_a_provider_that_fails_five_per_cent_is_said_within_two_minutes(topics: Topics, tmp_path: Path) -> None:
    says_that_five_per_cent_fail(tmp_path, topics.kafka, lambda receipts, at: topics.send("receipts", receipts, at))


def letter(at: int) -> dict[str, Any]:
    return {"reason": "rejected", "message": "", "origin": "x/0@1", "ts": at, "key": None, "value": "", "size": 0}


def test_dead_letters_of_a_channel_that_had_none(topics: Topics) -> None:
    """The warehouse knows of none, so those of five weeks are counted in Kafka; and who had none has a past, too."""
    create_topics(topics.kafka.bootstrap, [f"{topics.kafka.prefix}dead-letters.{name}" for name in ("sms", "push")], 2)

    def write(channel: str, at: int, n: int) -> None:
        letters = ({"user_id": f"u{each}", **letter(at)} for each in range(n))
        topics.send(f"dead-letters.{channel}", letters, at)

    for at in range(NOW - 5 * WEEK, NOW, HOUR):
        write("push", at, 20)
    clock, said = [NOW], list[Change]()
    watch, desk = watching("DeadLetters"), Desk(Alarms(), {}, SaidFile(None))
    past = [*hourly("sent", 100), Fact(NOW, "sent", "hello", "sms")]
    since = recall(watch, past, past_letters(topics.kafka, NOW - 9 * WEEK, NOW))
    reader = Reader(topics.kafka, since)
    try:
        following = Following(watch, desk, reader, lambda: clock[0], lambda: None, said.append, 0, since)
        for hour in range(4):
            write("push", clock[0], 20)
            write("sms", clock[0], 6 if hour < 2 else 0)
            for _ in range(4):
                asyncio.run(following.round())
            clock[0] += HOUR
            for _ in range(4):
                asyncio.run(following.round())
    finally:
        reader.close()
    assert begun(said) == [("DeadLetters", "", "sms", NOW + 2 * HOUR)], said
    assert [(change.firing, change.at) for change in said[1:]] == [(False, NOW + 3 * HOUR)]


def test_dead_letters_that_kafka_has_deleted_are_not_known(topics: Topics) -> None:
    name = topics.kafka.prefix + "dead-letters"
    create_topics(topics.kafka.bootstrap, [name], 2)
    for hour in range(4):
        topics.send("dead-letters", [{"user_id": "u1", **letter(NOW + hour * HOUR)}], NOW + hour * HOUR)
    known = past_letters(topics.kafka, NOW - WEEK, NOW + WEEK)
    assert (len(known.facts), known.since) == (4, 0)
    admin = KafkaAdminClient(bootstrap_servers=topics.kafka.bootstrap)
    try:
        offsets = {place: end for place, end in _ends(topics, name).items() if end}
        admin.delete_records({place: end - 2 for place, end in offsets.items()})
        cut = past_letters(topics.kafka, NOW - WEEK, NOW + WEEK)
        assert ([fact.at for fact in cut.facts], cut.since) == ([NOW + 2 * HOUR, NOW + 3 * HOUR], NOW + 2 * HOUR)
        assert past_letters(topics.kafka, NOW + 3 * HOUR, NOW + WEEK).since == 0, "what is asked for is there"
        admin.delete_records(offsets)
        assert past_letters(topics.kafka, NOW - WEEK, NOW + WEEK) == ([], NOW + WEEK)
    finally:
        admin.close()


def _ends(topics: Topics, name: str) -> dict[TopicPartition, int]:
    consumer = KafkaConsumer(bootstrap_servers=topics.kafka.bootstrap)
    try:
        return dict(consumer.end_offsets([TopicPartition(name, number) for number in range(2)]))
    finally:
        consumer.close()


def test_codes_in_redis_that_run_low(stack: Stack) -> None:
    store = RedisCoupons(stack.settings.redis_url)
    says_that_codes_run_low(store, f"pool{uuid.uuid4().hex[:8]}")
    store.close()
