"""A profile store that comes back empty counts as away: lists and opt-outs that it has lost make nobody reachable."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from harness.job import PATIENCE_SECONDS, eventually
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.keys import FILLED, PREFIX
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.writer import write_profiles
from kairos.apps.stack import Stack
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate
from kairos.engine.engine import Engine
from kairos.engine.profile.port import Degraded
from kairos.engine.rule.reads.needs import needs_of
from kairos.engine.settings import Settings
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, DAY, event, program_of, rules

pytestmark = pytest.mark.stack

RULES = (
    "activity: a\ntrigger: {event: order}\nsend: [{channel: in_app, template: t}]\n",
    "lists: {black: redis}\n",
)
OUT = {"phone": "1", "unsubscribed": ["in_app"]}


@pytest.fixture
def client(own_stack: Callable[..., Stack]) -> redis.Redis:
    return connect(own_stack("redis").settings.redis_url)


class Job:
    """The profile source as evaluate uses it, and the engine; `get` blocks in a thread, as the operator would."""

    def __init__(self, client: redis.Redis, **more: Any) -> None:
        self.counted: Counter[str] = Counter()
        count = lambda name: self.counted.update([name])  # noqa: E731
        self.profiles = RedisProfiles(client, 0.0, 100, count, **{"degrade": False, **more})
        self.engine = Engine(Settings(), lambda user, _instant: self.profiles.get(user))
        program = program_of(rules(RULES[0], policy=RULES[1]))
        self.engine.adopt(program)
        self.profiles.need(needs_of(program))

    def decide(self, user: str) -> list[str]:
        state = UserState()
        effects = self.engine.on_event(user, state, event(f"0s order user={user}"), BASE - 1)
        effects += self.engine.on_time(user, state, BASE + DAY)
        records = [effect.record if isinstance(effect, Candidate) else effect for effect in effects]
        return [record.reason or record.outcome for record in records if isinstance(record, Record)]


@pytest.fixture
def job(client: redis.Redis) -> Iterator[Job]:
    job = Job(client, pause=lambda _seconds: None)
    yield job
    job.profiles.close()


def test_nobody_is_reached_while_the_store_is_empty_and_all_is_as_before_when_it_is_filled(
    client: redis.Redis, job: Job
) -> None:
    write_profiles(client, {"out": OUT, "in": {"phone": "2"}, "black": {}})
    client.sadd("list:black", "black")
    assert [job.decide(user) for user in ("out", "in", "black")] == [["unreachable"], ["send"], ["blacklist"]]
    client.flushall()
    decided: list[str] = []
    deciding = threading.Thread(target=lambda: decided.extend(job.decide("out")))
    deciding.start()
    eventually(lambda: job.counted["emptied"], lambda count: count > 10)
    assert job.counted["failure"] >= job.counted["emptied"]
    client.hset(PREFIX + "in", "phone", "2")  # one profile alone is not the store
    client.sadd("list:black", "black")
    eventually(lambda: job.counted["emptied"], lambda count: count > 20)
    assert (deciding.is_alive(), decided) == (True, [])
    write_profiles(client, {"out": OUT, "in": {"phone": "2"}})
    deciding.join(PATIENCE_SECONDS)
    assert decided == ["unreachable"]
    assert [job.decide(user) for user in ("out", "in", "black")] == [["unreachable"], ["send"], ["blacklist"]]


def test_what_another_program_filled_is_marked_when_a_profile_is_found(client: redis.Redis, job: Job) -> None:
    assert job.profiles.get("nobody") is None
    assert not client.exists(FILLED)  # so far there is nothing to lose
    client.hset(PREFIX + "u1", "phone", "1")
    assert job.profiles.get("u1") == {"phone": "1"}
    assert client.exists(FILLED)


def test_with_degrade_it_goes_on_and_says_so(client: redis.Redis) -> None:
    job = Job(client, degrade=True)
    try:
        write_profiles(client, {"u1": {"phone": "1"}})
        assert job.profiles.get("u1") == {"phone": "1"}
        client.flushall()
        assert isinstance(job.profiles.get("u1"), Degraded)
        assert (job.counted["emptied"], job.counted["degraded"]) == (1, 1)
    finally:
        job.profiles.close()


def test_a_source_that_may_only_read_goes_on_without_marking(client: redis.Redis) -> None:
    client.acl_setuser("reader", enabled=True, nopass=True, categories=["+@read", "+@connection"], keys=["*"])
    client.hset(PREFIX + "u1", "phone", "1")
    reading = redis.Redis(port=client.connection_pool.connection_kwargs["port"], username="reader", password="x")
    job = Job(reading)
    try:
        assert [job.profiles.get("u1"), job.profiles.get("u1")] == [{"phone": "1"}] * 2
        assert not client.exists(FILLED)
    finally:
        job.profiles.close()
        client.acl_deluser("reader")


def test_a_key_that_is_no_profile_is_its_own_users_affair(client: redis.Redis, job: Job) -> None:
    write_profiles(client, {"in": {"phone": "2"}, "deep": {"phone": "3"}})
    client.set(PREFIX + "broken", "text where a hash should be")
    client.hset(PREFIX + "deep", "unsubscribed", "[" * 100_000)
    assert [job.decide(user) for user in ("broken", "in", "deep")] == [["blacklist"], ["send"], ["unreachable"]]
    assert job.counted["failure"] == 0
    assert job.engine.counters["unreadable_unsubscribed"] == 2
