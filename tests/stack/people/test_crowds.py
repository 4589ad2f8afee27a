"""Who is in a crowd or on a list, by sets of a real Redis; and that nothing is fetched that nobody reads."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from harness.job import eventually
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.keys import CROWD, LIST, PREFIX
from kairos.adapters.profiles.redis import connect
from kairos.apps.stack import Stack
from kairos.engine.channel import ADDRESSES
from kairos.engine.rule.reads.needs import ALWAYS, Needs, needs_of
from tests.engine_kit import engine_of, event, program_of, rules
from tests.unit.engine.live_user import told

pytestmark = pytest.mark.stack


@pytest.fixture
def client(stack: Stack) -> Iterator[redis.Redis]:
    with connect(stack.settings.redis_url) as client:
        yield client


@pytest.fixture
def opened(stack: Stack) -> Iterator[Callable[[Needs | None], RedisProfiles]]:
    made: list[RedisProfiles] = []

    def open_one(needs: Needs | None = None) -> RedisProfiles:
        made.append(RedisProfiles(connect(stack.settings.redis_url), 60.0, 1_000, lambda _name: None, degrade=False))
        if needs is not None:
            made[-1].need(needs)
        return made[-1]

    yield open_one
    for profiles in made:
        profiles.close()


def name() -> str:
    return uuid.uuid4().hex


def needs(*more: str, **sets: str) -> Needs:
    return Needs(ALWAYS | ADDRESSES | set(more), **{field: frozenset({value}) for field, value in sets.items()})


Opened = Callable[..., RedisProfiles]


def test_only_what_is_needed_is_fetched(client: redis.Redis, opened: Opened) -> None:
    user = name()
    fields: dict[str, Any] = {"phone": "0138", "level": "3", "secret": "x", "timezone": "Asia/Shanghai"}
    client.hset(PREFIX + user, mapping=fields)
    expected = {"phone": "0138", "level": 3, "timezone": "Asia/Shanghai"}
    assert opened(needs("level", "absent")).get(user) == expected
    assert opened().get(user) == {**expected, "secret": "x"}
    assert opened(needs("level")).get(name()) is None


def test_a_set_and_the_profile_s_own_list_both_count(client: redis.Redis, opened: Opened) -> None:
    crowd, other = name(), name()
    by_set, by_list, by_both, by_none, unknown = (name() for _ in range(5))
    for user in (by_set, by_none):
        client.hset(PREFIX + user, "crowds", f'["{other}"]')
    for user in (by_list, by_both):
        client.hset(PREFIX + user, "crowds", f'["{crowd}"]')
    client.sadd(CROWD + crowd, by_set, by_both, unknown)
    profiles = opened(needs(crowds=crowd))
    found = [profiles.get(user) for user in (by_set, by_list, by_both, by_none, unknown)]
    assert found == [
        {"crowds": [other, crowd]}, {"crowds": [crowd]}, {"crowds": [crowd]}, {"crowds": [other]}, {"crowds": [crowd]},
    ]  # fmt: skip


def test_many_at_once_each_get_their_own(client: redis.Redis, opened: Opened) -> None:
    crowd, users = name(), [name() for _ in range(600)]
    client.sadd(CROWD + crowd, *users[::3])
    profiles = opened(needs(crowds=crowd))
    for user in users:
        profiles.expect(user)
    eventually(lambda: len(profiles._cache), lambda known: known == len(users))
    assert [profiles.get(user) for user in users] == [
        {"crowds": [crowd]} if place % 3 == 0 else None for place in range(len(users))
    ]


def test_lists_are_sets_too(client: redis.Redis, opened: Opened) -> None:
    user = name()
    client.sadd(LIST + "black", user)
    try:
        assert opened(needs(lists="black")).get(user) == {"lists": ["black"]}
        assert opened(needs(lists="white")).get(user) is None
    finally:
        client.srem(LIST + "black", user)


def test_what_was_fetched_for_another_release_is_fetched_again(client: redis.Redis, opened: Opened) -> None:
    user, crowd = name(), name()
    client.hset(PREFIX + user, "level", "3")
    client.sadd(CROWD + crowd, user)
    profiles = opened(needs())
    assert profiles.get(user) is None
    profiles.need(needs("level", crowds=crowd))
    assert profiles.get(user) == {"level": 3, "crowds": [crowd]}
    client.hset(PREFIX + user, "level", "4")
    profiles.need(needs("level", crowds=crowd))
    assert profiles.get(user) == {"level": 3, "crowds": [crowd]}


def test_the_engine_decides_by_them(client: redis.Redis, opened: Opened) -> None:
    crowd, members = f"c{name()}", {"in": name(), "out": name()}
    client.sadd(CROWD + crowd, members["in"])
    rule_set = rules(
        f"activity: a\ntrigger: {{event: order}}\naudience: {{in: [{crowd}]}}\n",
        crowds=f"{crowd}: {{members: redis}}\n",
    )
    profiles = opened(needs_of(program_of(rule_set)))
    engine = engine_of(rule_set, profiles)
    from kairos.engine.user.state import UserState

    for user, outcome in ((members["in"], "0s a match"), (members["out"], "0s a suppress audience")):
        one = event(f"0s order user={user}")
        assert told(engine.on_event(user, UserState(), one, one.time)) == [outcome]
