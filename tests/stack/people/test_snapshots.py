"""Snapshots of crowds in a real Redis: what the job sees of them, before, at and after a flip."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
import redis

from harness.job import eventually
from kairos.adapters.crowds.port import Live, Span
from kairos.adapters.crowds.redis import LIVE, MEMBERS, RedisCrowds
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.keys import PREFIX
from kairos.adapters.profiles.redis import EmptiedError, connect
from kairos.apps.stack import Stack
from kairos.engine.crowd.membership import SNAPSHOTS
from kairos.engine.rule.reads.needs import ALWAYS, Needs

pytestmark = pytest.mark.stack


@pytest.fixture
def client(stack: Stack) -> Iterator[redis.Redis]:
    with connect(stack.settings.redis_url) as client:
        yield client


@pytest.fixture
def opened(stack: Stack) -> Iterator[Callable[[str], RedisProfiles]]:
    made: list[RedisProfiles] = []

    def open_one(crowd: str) -> RedisProfiles:
        made.append(RedisProfiles(connect(stack.settings.redis_url), 600.0, 1_000, lambda _name: None, degrade=True))
        made[-1].need(Needs(ALWAYS, frozenset({crowd}), kept=frozenset({crowd})))
        return made[-1]

    yield open_one
    for profiles in made:
        profiles.close()


@pytest.fixture
def crowd(client: redis.Redis) -> Iterator[str]:
    name = f"c{uuid.uuid4().hex}"
    yield name
    client.hdel(LIVE, name)


def users(count: int) -> list[str]:
    return [uuid.uuid4().hex for _ in range(count)]


def test_a_snapshot_is_seen_when_it_flips_and_not_before(
    client: redis.Redis, opened: Callable[[str], RedisProfiles], crowd: str
) -> None:
    a, b = users(2)
    store, profiles = RedisCrowds(client), opened(crowd)
    store.stage(crowd, [Span(a, 1)])
    assert not (profiles.get(a) or {}).get("crowds")
    store.flip(crowd, Live(1, 10, 5))
    eventually(lambda: profiles.get(a) == {"crowds": [crowd], SNAPSHOTS: {crowd: 1}}, bool)
    assert profiles.get(b) == {"crowds": [], SNAPSHOTS: {crowd: 1}}
    store.stage(crowd, [Span(a, 1, 2), Span(b, 2)])
    fresh = opened(crowd)  # without anything in its cache
    for seen in (profiles, fresh):
        assert seen.get(a) == {"crowds": [crowd], SNAPSHOTS: {crowd: 1}}
        assert seen.get(b) == {"crowds": [], SNAPSHOTS: {crowd: 1}}
    store.flip(crowd, Live(2, 20, 15))
    eventually(lambda: profiles.get(b) == {"crowds": [crowd], SNAPSHOTS: {crowd: 2}}, bool)
    assert profiles.get(a) == {"crowds": [], SNAPSHOTS: {crowd: 2}}
    assert store.live()[crowd] == Live(2, 20, 15)


def test_what_was_begun_is_taken_back(client: redis.Redis, crowd: str) -> None:
    a, b, c, d = users(4)
    store = RedisCrowds(client)
    store.stage(crowd, [Span(a, 1), Span(b, 1), Span(c, 1, 2)])
    store.stage(crowd, [Span(a, 1, 3), Span(c, 3), Span(d, 3)])
    store.unstage(crowd, 3, [a, b, c, d])
    assert set(store.spans(crowd)) == {Span(a, 1), Span(b, 1)}
    assert client.exists(MEMBERS + d) == 0


def test_a_list_by_hand_and_a_snapshot_count_both(
    client: redis.Redis, opened: Callable[[str], RedisProfiles], crowd: str
) -> None:
    a, b = users(2)
    client.sadd(f"crowd:{crowd}", a)
    client.hset(PREFIX + b, "crowds", f'["{crowd}"]')
    RedisCrowds(client).flip(crowd, Live(7, 0, 0))
    profiles = opened(crowd)
    for user in (a, b):
        assert profiles.get(user) == {"crowds": [crowd], SNAPSHOTS: {crowd: 7}}
    client.delete(f"crowd:{crowd}")


def test_a_store_that_has_lost_its_snapshots_is_as_good_as_away(
    client: redis.Redis, opened: Callable[[str], RedisProfiles], crowd: str
) -> None:
    a, b = users(2)
    RedisCrowds(client).flip(crowd, Live(1, 0, 0))
    profiles = opened(crowd)
    assert profiles.get(a) == {"crowds": [], SNAPSHOTS: {crowd: 1}}
    client.hdel(LIVE, crowd)
    with pytest.raises(EmptiedError):
        profiles.fetch([b], profiles._needs)
