"""What the job does when things around it, or it itself, break."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.job import MINUTE, LiveJob, event, eventually, key, now
from harness.rules import THIRD, UNPAID, write_rules
from kairos.adapters.profiles.redis import connect
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def live_job(tmp_path: Path) -> Iterator[Callable[..., LiveJob]]:
    made: list[LiveJob] = []

    def make(stack: Stack, rules: Path, *overrides: str, root: str = "events") -> LiveJob:
        made.append(LiveJob(tmp_path / f"job{len(made)}", stack.settings.kafka, rules, overrides, root))
        return made[-1]

    yield make
    for job in made:
        job.close()


def history(seed: int, start: int, minutes: int, count: int) -> list[dict[str, Any]]:
    """Orders, payments and views of 40 users, in the order of their time up to a second of disorder."""
    chance = random.Random(seed)
    times = sorted(start + chance.randrange(minutes * MINUTE) for _ in range(count))
    found = []
    for place, time in enumerate(times):
        kind = chance.choice(["order_created", "order_created", "order_paid", "view", "view", "other"])
        one = event(f"u{chance.randrange(40)}", kind, time, order_id=f"o{chance.randrange(4)}")
        found.append((time + chance.randrange(1_000), one | {"id": f"{seed}-{place}"}))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def test_killed_and_restored_it_decides_as_if_nothing_had_happened(
    stack: Stack, live_job: Callable[..., LiveJob], tmp_path: Path
) -> None:
    """Jobs on the same events: one goes through undisturbed; one with each backend is killed twice in the middle."""
    rules = write_rules(tmp_path / "rules", unpaid=UNPAID, third_view=THIRD)
    start = now() - 3 * 60 * MINUTE
    parts = [history(seed, start + seed * 50 * MINUTE, 45, 1_500) for seed in range(3)]
    end = event("last", "order_created", start + 160 * MINUTE, order_id="end")

    def decided(backend: str, kills: int) -> list[dict[str, Any]]:
        job = live_job(stack, rules, f"state.backend={backend}", "kafka.exactly_once=true", root="past")
        job.start().until_running()
        for number, part in enumerate(parts):
            seen = len(committed(job))
            job.send(*part)
            if number < kills:
                eventually(lambda: committed(job), lambda found, seen=seen: len(found) > seen)
                job.process.kill()
                job.start("--from", "latest").until_running()
        job.send(end)
        job.beat(end["time"] + 11 * MINUTE)
        found = eventually(lambda: committed(job), ended)
        job.close()
        return found

    expected = decided("hashmap", kills=0)
    assert len(expected) > 500
    assert {record["outcome"] for record in expected} == {"send", "match"}
    for backend in ("hashmap", "rocksdb"):
        assert Counter(map(key, decided(backend, kills=2))) == Counter(map(key, expected))


def committed(job: LiveJob) -> list[dict[str, Any]]:
    return job.topics.read(f"{job.name}.decisions", committed=True)


def ended(records: list[dict[str, Any]]) -> bool:
    return any(record["user_id"] == "last" for record in records)


def test_nothing_fires_while_kafka_is_away_with_the_payment_in_it(
    own_stack: Callable[..., Stack], live_job: Callable[..., LiveJob], tmp_path: Path
) -> None:
    own = own_stack("kafka", "heartbeat")
    job = live_job(own, write_rules(tmp_path / "rules", unpaid=UNPAID))
    process = job.start().until_running()
    job.send(event("early", "order_created", now() - 11 * MINUTE, order_id="o0"))
    job.until_decided("early")

    due = now() + 8_000
    job.send(event("paid", "order_created", due - 10 * MINUTE, order_id="o1"))
    job.send(event("unpaid", "order_created", due - 10 * MINUTE, order_id="o2"))
    os.killpg(process.process.pid, signal.SIGSTOP)
    job.send(event("paid", "order_paid", due - 5 * MINUTE, order_id="o1"))
    own.down(["kafka"])
    os.killpg(process.process.pid, signal.SIGCONT)
    eventually(now, lambda moment: moment > due + 5_000)
    own.up(["kafka"])

    (decided,) = job.until_decided("unpaid")
    assert decided["at"] == due
    marker = now() - 11 * MINUTE
    job.send(event("marker", "order_created", marker, order_id="o3"))
    job.until_decided("marker")
    assert job.decisions("paid") == []
    assert job.process is not None
    assert job.process.process.poll() is None


def test_with_redis_away_decisions_wait_for_it(
    own_stack: Callable[..., Stack], live_job: Callable[..., LiveJob], tmp_path: Path
) -> None:
    own = own_stack("kafka", "redis", "heartbeat")
    address = f"redis://127.0.0.1:{own.settings.redis_port}/0"
    for user in ("before", "meanwhile"):
        connect(address).hset(f"profile:{user}", mapping={"phone": "13800000000"})
    rules = write_rules(tmp_path / "rules", unpaid=UNPAID.replace("webhook", "sms"))
    job = live_job(own, rules, f"profiles.redis={address}", "limits.regret_for=1h")
    job.start().until_running()
    job.send(event("before", "order_created", now() - 11 * MINUTE, order_id="o1"))
    job.until_decided("before")

    own.freeze("redis")
    job.send(event("meanwhile", "order_created", now() - 11 * MINUTE, order_id="o2"))
    eventually(job.counters, lambda counters: counters["profiles.failure"] > 0)
    assert job.decisions("meanwhile") == []
    own.thaw("redis")
    (decided,) = job.until_decided("meanwhile")
    assert (decided["outcome"], decided["channel"], decided.get("degraded")) == ("send", "sms", None)
    assert (job.state()["state"], job.restarts()) == ("RUNNING", 0)
