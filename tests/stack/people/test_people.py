"""People in Redis: looked at, changed, imported, merged and removed, with everything that others keep beside them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from harness.job import Topics
from kairos.adapters.crowds.redis import MEMBERS
from kairos.adapters.profiles.fields import set_in_redis
from kairos.adapters.profiles.imports import RedisImporting
from kairos.adapters.profiles.keys import PREFIX
from kairos.adapters.profiles.person import ORIGINS, RedisPeople
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.writer import write_profiles
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.stack import Stack
from kairos.engine.rule.model import RuleSet
from kairos.usecases.control.rights import Actor
from kairos.usecases.people.forget import forget
from kairos.usecases.people.merge import merge
from kairos.usecases.people.places import Places

pytestmark = pytest.mark.stack

NOW = 1_793_620_800_000


@pytest.fixture
def address(stack: Stack) -> str:
    return stack.settings.redis_url


@pytest.fixture
def client(address: str) -> Iterator[redis.Redis]:
    with connect(address) as client:
        yield client


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def test_all_that_leads_to_a_person_and_all_that_is_hers_is_seen_and_removed(
    address: str, client: redis.Redis, user: str
) -> None:
    people, crowd = RedisPeople(address), f"crowd:{user}"
    people.put(user, {"name": "42", "level": 3, "lists": ["black"], "gone": None})
    client.sadd(crowd, user, "another")
    client.set(f"identity:device_id:{user}", user)
    client.set(f"identity:device_id:other-{user}", "another")
    client.hset(MEMBERS + user, "vip", "1")
    client.rpush(f"merging:{user}", "draft")
    assert people.profile(user) == {"name": "42", "level": 3, "lists": ["black"]}
    assert people.sets(user) == [crowd]
    assert people.identities(user) == [f"device_id:{user}"]
    assert people.remove(user) == {"profile": 1, "memberships": 1, "crowds": 1, "identities": 1, "waiting": 1}
    assert (people.profile(user), people.sets(user), people.identities(user)) == (None, [], [])
    assert client.sismember(crowd, "another")
    assert client.get(f"identity:device_id:other-{user}") == b"another"
    assert people.remove(user) == {}
    client.delete(crowd, f"identity:device_id:other-{user}")


def test_a_running_job_is_told_to_forget(stack: Stack, user: str) -> None:
    kafka = KafkaAddress(stack.settings.kafka)
    assert forget(Places(RuleSet(), kafka=kafka), user, Actor("ann"), NOW) == {"job": {"told": 1}}
    topics = Topics(stack.settings.kafka)
    (told,) = [event for event in topics.read("events.kairos") if event.get("user_id") == user]
    topics.close()
    assert (told["type"], told["source"], told["time"]) == ("kairos.forget", "kairos", NOW)


def test_a_merge_moves_identities_and_memberships(address: str, client: redis.Redis, user: str) -> None:
    people, other, crowd = RedisPeople(address), f"{user}-2", f"crowd:{user}"
    people.put(user, {"level": 1})
    people.put(other, {"unsubscribed": ["sms"], "email": "b@example.com"})
    client.sadd(crowd, other)
    client.sadd("list:white", other)
    client.set(f"identity:openid:{user}", other)
    done = merge(Places(RuleSet(), profiles=people), user, other, Actor("ann"), NOW)
    assert done.identities == 1
    assert people.identities(user) == [f"openid:{user}"]
    assert people.sets(user) == [crowd], "on the white list only who was on it under both ids"
    profile = people.profile(user) or {}
    assert (profile["unsubscribed"], profile["email"], profile["level"]) == (["sms"], "b@example.com", 1)
    assert (people.profile(other) or {})["merged_into"] == user
    client.srem("list:white", other)
    people.remove(user)
    people.remove(other)


def test_an_import_adds_and_takes_no_refusal_back_whoever_writes_meanwhile(
    address: str, client: redis.Redis, user: str
) -> None:
    importing, people = RedisImporting(address), RedisPeople(address)
    people.put(user, {"unsubscribed": ["sms"], "level": 1})

    def opts_out() -> None:
        for channel in ("push", "email", "wechat"):
            client.hset(PREFIX + user, "unsubscribed", f'["sms", "{channel}"]')

    thread = threading.Thread(target=opts_out)
    thread.start()
    for level in range(40):
        given: dict[str, Any] = {user: {"level": level, "unsubscribed": []}}
        (changed,) = importing.apply(given, "import crm 2026-11-02", dry_run=False)
        assert not changed.new
    thread.join()
    profile = people.profile(user) or {}
    assert profile["unsubscribed"] == ["sms", "wechat"]
    assert (profile["level"], profile[ORIGINS]["level"]) == (39, "import crm 2026-11-02")
    (dry,) = importing.apply({user: {"level": 7}}, "import crm", dry_run=True)
    assert (dry.fields, (people.profile(user) or {})["level"]) == (["level"], 39)
    people.remove(user)


def test_a_table_that_replaces_profiles_leaves_what_kairos_wrote(address: str, client: redis.Redis, user: str) -> None:
    people = RedisPeople(address)
    people.put(user, {"level": 1, "merged": {"from": ["x"]}, "origins": {"level": "crm"}})
    set_in_redis(client, {user: {"score_alive": 0.5, "score_gone": None}})
    write_profiles(client, {user: {"city": "Rome"}})
    assert people.profile(user) == {
        "city": "Rome", "merged": {"from": ["x"]}, "origins": {"level": "crm"}, "score_alive": 0.5,
    }  # fmt: skip
    set_in_redis(client, {user: {"score_alive": None}})
    assert "score_alive" not in (people.profile(user) or {})
    people.remove(user)
