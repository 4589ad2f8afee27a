"""The audit of what is live: decisions in Kafka, ledger and releases in MariaDB, users in Redis."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from typer.testing import CliRunner

from kairos.adapters.delivery.tables import delivery_key
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.user_lists import key_of
from kairos.adapters.profiles.writer import write_profiles
from kairos.adapters.rules.store_sql import SqlRuleStore
from kairos.apps.cli import app
from kairos.apps.stack import Stack
from kairos.engine.policy.spec import UserList
from kairos.engine.rule.release import Release
from tests.unit.audit.story import BASE, RULES, Story

pytestmark = pytest.mark.stack

PREFIX = "audited."
HOUR = 3_600_000
FAR = 2**45


class Live:
    """A stack with two releases: until four hours after BASE there are no quiet hours."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.settings = stack.settings
        self.conf = folder / "conf.yaml"
        self.conf.write_text(
            f"kafka: {{bootstrap: '{stack.settings.kafka}', prefix: {PREFIX}}}\n"
            f"rules: {{store: '{stack.settings.mysql_url}'}}\n"
            f"profiles: {{redis: '{stack.settings.redis_url}'}}\n"
            f"delivery: {{store: '{stack.settings.mysql_url}'}}\n"
        )
        policy = msgspec.structs.replace(RULES.policy, white=UserList(None))
        asleep = msgspec.structs.replace(RULES, policy=policy)
        awake = msgspec.structs.replace(RULES, policy=msgspec.structs.replace(policy, quiet_hours=None))
        store = SqlRuleStore(stack.settings.mysql_url)
        store.publish(Release(1, awake), {}, "test")
        store.publish(Release(2, asleep, BASE + 4 * HOUR), {}, "test")
        self.know(u1={"timezone": "Pacific/Honolulu"})

    def know(self, **users: dict[str, Any]) -> None:
        with connect(self.settings.redis_url) as client:
            write_profiles(client, users)

    def tell(self, story: Story) -> None:
        """Topics of two partitions, and the ledger."""
        topics = [f"{PREFIX}decisions", f"{PREFIX}deliveries.email"]
        create_topics(self.settings.kafka, topics, 2)
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka)
        records = zip(topics, ([*story.decisions, story.decisions[1]], story.deliveries), strict=True)
        for topic, told in records:
            for record in told:
                key, value = record["user_id"].encode(), json.dumps(record).encode()
                producer.send(topic, key=key, value=value, timestamp_ms=record["at"])
        producer.close()
        story.fill(self.settings.mysql_url)

    def delete(self, partition: int, before: int) -> None:
        """The decisions of a partition up to an offset, as retention would."""
        admin = KafkaAdminClient(bootstrap_servers=self.settings.kafka)
        admin.delete_records({TopicPartition(f"{PREFIX}decisions", partition): before})
        admin.close()

    def audit(self, *options: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(app, ["audit", "--conf", str(self.conf), "--format", "json", *options])
        assert done.stdout, done.output
        return done.exit_code, json.loads(done.stdout)

    def refused(self) -> str:
        done = CliRunner().invoke(app, ["audit", "--conf", str(self.conf)])
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        return done.stderr


@pytest.fixture
def live(own_stack: Callable[..., Stack], tmp_path: Path) -> Live:
    return Live(own_stack("kafka", "redis", "mariadb"), tmp_path)


def violations(told: dict[str, Any]) -> dict[str, int]:
    return {check["check"]: check["violations"] for check in told["checks"] if check["violations"]}


def test_what_is_live(live: Live) -> None:
    assert f"has no topic {PREFIX}decisions" in live.refused()

    story = Story()
    story.sent("free", "0s")  # two in the morning in Honolulu, before there were quiet hours
    story.sent("free", "12h")
    story.decide("free", "1h", outcome="match", user="U1")
    story.sent("free", "12h", user="U1")  # another user than u1, in the policy's zone, on no list
    story.calls[-1] |= {"started_at": BASE + 21 * HOUR, "ended_at": BASE + 21 * HOUR}
    story.decide("free", "21h")
    story.hand_over("22h")
    story.deliveries[-1]["send_before"] = FAR
    live.tell(story)
    status, told = live.audit()
    assert (status, violations(told)) == (0, {})
    assert told["looked_at"] == {
        "decisions": 6, "sends": 4, "users": 2, "ledger rows": 3, "calls": 3, "releases": 2,
    }  # fmt: skip
    [explained] = [check for check in told["checks"] if check["check"] == "explained"]
    assert explained["examined"] == {"sends decided": 4, "pending": 1, "sent": 3}
    assert violations(live.audit("--settled")[1]) == {"explained": 1}

    _never_committed(live, story)
    status, told = live.audit()
    assert (status, told["looked_at"]["decisions"]) == (0, 6)

    live.know(u1={"timezone": "Europe/Berlin"})
    status, told = live.audit()
    assert (status, violations(told)) == (1, {"quiet_hours": 1})

    with connect(live.settings.redis_url) as client:
        client.sadd(key_of("white"), "u1")
    assert violations(live.audit()[1]) == {}

    old = "ledger rows older than the oldest decision kept"
    for before, not_judged in ((1, {old: 1}), (-1, {old: 3})):  # the first of each partition, then all there are
        for partition in (0, 1):
            live.delete(partition, before)
        [explained] = [check for check in live.audit()[1]["checks"] if check["check"] == "explained"]
        assert (explained["not_judged"], explained["violations"]) == (not_judged, 0)


def _never_committed(live: Live, story: Story) -> None:
    """A job with `exactly_once` decides otherwise, and dies before its checkpoint."""
    producer = KafkaProducer(bootstrap_servers=live.settings.kafka, transactional_id="job")
    producer.init_transactions()
    producer.begin_transaction()
    value = json.dumps(story.decisions[0] | {"data": {"n": 1}}).encode()
    producer.send(f"{PREFIX}decisions", key=b"u1", value=value)
    producer.flush()
    status, told = live.audit()
    assert (status, told["looked_at"]["decisions"]) == (0, 6), "while the transaction is open"
    orphan = story.rows[0] | {"key": delivery_key("free", "u9", "x", 1), "user_id": "u9", "occurrence": "x", "calls": 0}
    late = BASE + 21 * HOUR
    story.rows.append(orphan | {"state": "failed", "reserved_at": late, "settled_at": late})
    story.fill(live.settings.mysql_url)
    [explained] = [check for check in live.audit()[1]["checks"] if check["check"] == "explained"]
    assert explained["not_judged"] == {"ledger rows whose decision may not be committed yet": 1}
    producer.abort_transaction()
    producer.close()
    assert violations(live.audit()[1]) == {"explained": 1}
    story.rows.pop()
    story.fill(live.settings.mysql_url)
