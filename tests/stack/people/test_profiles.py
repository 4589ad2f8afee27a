"""Profiles from a real Redis: ahead of need, bounded, and with Redis away."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import redis

from harness.job import eventually
from kairos.adapters.profiles import ahead
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.keys import PREFIX
from kairos.adapters.profiles.opening import check_profiles
from kairos.adapters.profiles.redis import ProfilesUnreachableError, connect
from kairos.apps.stack import Stack
from kairos.engine.profile.port import Degraded
from kairos.engine.rule.reads.needs import Needs

pytestmark = pytest.mark.stack


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Counted(RedisProfiles):
    def __init__(self, client: redis.Redis, max_users: int, degrade: bool, **more: Any) -> None:
        self.counted: Counter[str] = Counter()
        super().__init__(client, 60.0, max_users, lambda name: self.counted.update([name]), degrade=degrade, **more)


@pytest.fixture
def client(stack: Stack) -> redis.Redis:
    return connect(address(stack))


def address(stack: Stack) -> str:
    return f"redis://127.0.0.1:{stack.settings.redis_port}/0"


def user(client: redis.Redis, **fields: str) -> str:
    name = uuid.uuid4().hex
    if fields:
        client.hset(PREFIX + name, mapping=fields)
    return name


@pytest.fixture
def opened(stack: Stack) -> Iterator[Callable[..., Counted]]:
    """`opened(where)`: with a counter of what happens, as `counted`."""
    all_opened = []

    def open_one(where: str = address(stack), *, degrade: bool = False, max_users: int = 100, **more: Any) -> Counted:
        profiles = Counted(connect(where), max_users, degrade, **more)
        all_opened.append(profiles)
        return profiles

    yield open_one
    for profiles in all_opened:
        profiles.close()


def test_values_have_the_types_that_they_are_written_with(client: redis.Redis, opened: Callable[..., Counted]) -> None:
    name = user(
        client,
        phone="13800000000",
        level="3",
        vip="true",
        city="sz",
        crowds='["staff"]',
        score="1.5",
        timezone="Asia/Shanghai",
    )
    assert opened().get(name) == {
        "phone": "13800000000",
        "level": 3,
        "vip": True,
        "city": "sz",
        "crowds": ["staff"],
        "score": 1.5,
        "timezone": "Asia/Shanghai",
    }


def test_an_unknown_user_has_no_profile_and_is_remembered_as_such(
    client: redis.Redis, opened: Callable[..., Counted]
) -> None:
    profiles = opened()
    name = user(client)
    assert profiles.get(name) is None
    assert profiles.get(name) is None
    assert (profiles.counted["wait"], profiles.counted["hit"]) == (1, 1)


def test_what_was_expected_is_there_when_it_is_needed(client: redis.Redis, opened: Callable[..., Counted]) -> None:
    profiles = opened()
    names = [user(client, level=str(number)) for number in range(20)]
    for name in names:
        profiles.expect(name)
    eventually(lambda: len(profiles._cache), lambda known: known == 20)
    assert [profiles.get(name) for name in names] == [{"level": number} for number in range(20)]
    assert profiles.counted["wait"] == 0


def test_a_decision_that_waits_brings_along_all_that_are_expected(
    client: redis.Redis, opened: Callable[..., Counted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "GATHER_SECONDS", 60.0)  # the helper has taken the first, and gathers
    fetched: list[Sequence[str]] = []
    fetch = RedisProfiles.fetch

    def counting(self: RedisProfiles, users: Sequence[str], needs: Needs) -> Any:
        fetched.append(users)
        return fetch(self, users, needs)

    monkeypatch.setattr(RedisProfiles, "fetch", counting)
    names = [user(client, level=str(number)) for number in range(4)]
    profiles = opened()
    for name in names:
        profiles.expect(name)
    assert [profiles.get(name) for name in names[1:]] == [{"level": number} for number in (1, 2, 3)]
    assert len(fetched) == 1
    assert {*names[1:]} <= {*fetched[0]}
    assert profiles.counted == {"wait": 1, "hit": 2}


def test_an_entry_is_asked_again_when_its_time_is_over(client: redis.Redis, opened: Callable[..., Counted]) -> None:
    clock = Clock()
    profiles = opened(clock=clock)
    name = user(client, level="1")
    assert profiles.get(name) == {"level": 1}
    client.hset(PREFIX + name, "level", "2")
    clock.now += 59
    assert profiles.get(name) == {"level": 1}
    clock.now += 2
    assert profiles.get(name) == {"level": 2}


def test_the_cache_is_bounded(client: redis.Redis, opened: Callable[..., Counted]) -> None:
    profiles = opened(max_users=3)
    names = [user(client, level="1") for _ in range(5)]
    for name in names:
        profiles.get(name)
    assert list(profiles._cache) == names[2:]


def test_a_decision_waits_for_a_redis_that_is_away(
    own_stack: Callable[..., Stack], opened: Callable[..., Counted]
) -> None:
    own = own_stack("redis")
    name = user(connect(address(own)), level="1")
    own.down()
    pauses: list[float] = []
    waited = threading.Event()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            own.up(("redis",))
            user(connect(address(own)), level="1")
            connect(address(own)).hset(PREFIX + name, "level", "7")
            waited.set()

    profiles = opened(address(own), pause=pause)
    assert profiles.get(name) == {"level": 7}
    assert waited.is_set()
    assert pauses[:8] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert profiles.counted["failure"] >= 8


def test_or_it_goes_without_and_says_so(opened: Callable[..., Counted]) -> None:
    profiles = opened("redis://127.0.0.1:1/0", degrade=True)
    assert isinstance(profiles.get("u1"), Degraded)
    assert (profiles.counted["failure"], profiles.counted["degraded"]) == (1, 1)


def test_the_check_names_what_is_missing_and_where(stack: Stack, tmp_path: object) -> None:
    check_profiles(address(stack), None)
    with pytest.raises(ProfilesUnreachableError, match=r"no Redis answers at redis://127.0.0.1:1/0"):
        check_profiles("redis://127.0.0.1:1/0", None)
    with pytest.raises(ProfilesUnreachableError, match=r"the file nowhere.json: No such file"):
        check_profiles(None, "nowhere.json")
