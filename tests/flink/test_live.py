"""The job on real Kafka: time, bad input, changes while it runs, stop and resume. One job serves all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.kafka_topics import create_topics
from kairos.apps.stack import Stack
from tests.flink.rules import UNPAID, watch, write_activity, write_rules
from tests.flink.support import MINUTE, LiveJob, event, eventually, key, now

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules"), unpaid=UNPAID)


@pytest.fixture(scope="module")
def job(stack: Stack, live_job: Callable[..., LiveJob], rules: Path) -> LiveJob:
    """Started on an hour of backlog: `paid` paid after 9 minutes, `unpaid` never did; the payment lies far behind."""
    stack.freeze("heartbeat")
    try:
        job = live_job(rules)
        send_backlog(job)
    finally:
        stack.thaw("heartbeat")
    job.start().until_running()
    return job


def send_backlog(job: LiveJob) -> None:
    start = now() - 65 * MINUTE
    job.send(
        event("paid", "order_created", start, order_id="o1"),
        event("unpaid", "order_created", start, order_id="o2"),
        *(event(f"crowd{n % 50}", "view", start + n * 500) for n in range(1_080)),
        event("paid", "order_paid", start + 9 * MINUTE, order_id="o1"),
        *(event(f"crowd{n % 50}", "view", start + n * 500) for n in range(1_080, 5_000)),
    )


def test_a_backlog_fires_nothing_early(job: LiveJob) -> None:
    (decided,) = job.until_decided("unpaid")
    assert (decided["activity"], decided["outcome"], decided["channel"]) == ("unpaid", "send", "webhook")
    assert decided["data"] == {"order_id": "o2"}
    (delivery,) = eventually(lambda: job.topics.read(f"{job.name}.deliveries.webhook"), bool)
    assert (delivery["user_id"], delivery["occurrence"]) == ("unpaid", decided["occurrence"])
    assert job.decisions("paid") == []


def test_an_absence_fires_in_a_silent_topic(job: LiveJob) -> None:
    due = now() + 2_000
    job.send(event("silent", "order_created", due - 10 * MINUTE, order_id="o3"))
    (decided,) = job.until_decided("silent")
    assert decided["at"] == due
    assert now() >= due


BAD: list[tuple[str, str | None, bytes, int]] = [
    ("not_json", "bad", b'{"id": "x1", "type"', 0),
    ("not_json", "bad", b"\xff\xfe\x00", 0),
    ("bad_field", "bad", b'{"id": "x2", "type": "view", "time": 1763778000000}', 0),
    ("bad_field", "bad", b'{"id": 3, "type": "view", "user_id": "bad", "time": 1763778000000}', 0),
    ("not_json", None, b"[]", 0),
    ("bad_time", "bad", b'{"id": "x4", "type": "view", "user_id": "bad", "time": "yesterday"}', 0),
    ("wrong_key", "bad", b'{"id": "x5", "type": "view", "user_id": "worse", "time": 1763778000000}', 0),
    ("wrong_timestamp", "bad", b'{"id": "x6", "type": "view", "user_id": "bad", "time": 1763778000000}', 1),
    ("too_large", "bad", b'"' + b"x" * 1_000_100 + b'"', 0),
]


def test_bad_input_goes_to_dead_letters_and_restarts_nothing(job: LiveJob) -> None:
    for _, user, value, offset in BAD:
        job.topics.send_raw(job.events, user, value, 1_763_778_000_000 + offset)
    future = event("bad", "view", now() + 2 * 60 * MINUTE)
    job.topics.send_raw(job.events, "bad", msgspec.json.encode(future), now())
    expected = Counter(reason for reason, *_ in BAD) + Counter(future=1)
    letters = eventually(job.dead_letters, lambda found: len(found) >= sum(expected.values()))
    assert Counter(letter["reason"] for letter in letters) == expected
    assert all(letter["origin"].startswith(f"{job.events}/") for letter in letters)
    counted = eventually(job.counters, lambda found: found["dead_letters.future"] == 1)
    assert {f"dead_letters.{reason}": count for reason, count in expected.items()}.items() <= counted.items()
    assert (job.state()["state"], job.restarts()) == ("RUNNING", 0)


def test_an_event_without_a_key_is_keyed_by_its_user(job: LiveJob) -> None:
    moment = now() - 11 * MINUTE
    order = event("keyless", "order_created", moment, order_id="o4")
    job.topics.send_raw(job.events, None, msgspec.json.encode(order), moment)
    (decided,) = job.until_decided("keyless")
    assert decided["outcome"] == "send"


def until_seen(job: LiveJob, user_id: str, kind: str) -> list[dict[str, Any]]:
    """Goes on sending events of a kind until one is decided about."""

    def decisions() -> list[dict[str, Any]]:
        job.send(event(user_id, kind, now()))
        return job.decisions(user_id)

    return eventually(decisions, bool)


def test_rules_change_while_it_runs(job: LiveJob, rules: Path) -> None:
    write_activity(rules, "greeting", watch("greeting", "login"))
    assert {record["activity"] for record in until_seen(job, "newcomer", "login")} == {"greeting"}


def test_a_broken_change_leaves_the_rules_as_they_are(job: LiveJob, rules: Path) -> None:
    write_activity(rules, "greeting", watch("greeting", "login"))
    until_seen(job, "first", "login")
    write_activity(rules, "greeting", watch("greeting", "login").replace("state: live", "state: alive"))
    log = eventually(job.log, lambda text: "the rules stay as they are" in text)
    assert "activities/test/greeting.yaml:2" in log
    eventually(job.counters, lambda found: found["rules.refused"] >= 1)
    assert {record["activity"] for record in until_seen(job, "second", "login")} == {"greeting"}
    write_activity(rules, "greeting", watch("greeting", "logout"))
    assert {record["activity"] for record in until_seen(job, "third", "logout")} == {"greeting"}
    assert job.restarts() == 0


def test_a_new_topic_is_read(job: LiveJob) -> None:
    topic = f"events.{job.name}.app"
    create_topics(job.topics.bootstrap, [topic], 3)
    moment = now() - 11 * MINUTE
    job.topics.send(topic, event("fresh", "order_created", moment, order_id="o5"))
    (decided,) = job.until_decided("fresh")
    assert decided["data"] == {"order_id": "o5"}


def test_stop_with_a_savepoint_and_resume_at_another_parallelism(job: LiveJob) -> None:
    """Matches opened before go on after it: from one slot to two, and back to one."""
    before = job.decisions()
    resumed = []
    for parallelism in (2, 1):
        users = [f"patient{parallelism}{number}" for number in range(8)]
        due = now() + 15_000
        job.send(*(event(user, "order_created", due - 10 * MINUTE, order_id="o6") for user in users))
        savepoint = stopped(job)
        job.start("--from", savepoint, "--set", f"job.parallelism={parallelism}").until_running()
        for user in users:
            (decided,) = job.until_decided(user)
            assert decided["at"] == due
            resumed.append(decided)
    times_found = Counter(map(key, job.decisions()))
    assert times_found.keys() >= set(map(key, [*before, *resumed]))
    assert set(times_found.values()) == {1}


def test_a_savepoint_of_the_other_mode_is_refused(job: LiveJob) -> None:
    refused = job.start("--from", stopped(job), "--set", "job.mode=process")
    assert refused.wait() == 2
    assert "written in thread mode and this job runs in process mode" in refused.said()


def stopped(job: LiveJob) -> str:
    assert job.process is not None
    assert job.process.terminate() == 0
    return job.process.said().partition("savepoint: ")[2].split()[0]
