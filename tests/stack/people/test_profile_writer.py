"""Profiles that are written to Redis come back from it as they were."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.keys import PREFIX
from kairos.adapters.profiles.lists import RedisLists
from kairos.adapters.profiles.redis import BATCH, connect
from kairos.adapters.profiles.table import Closed
from kairos.adapters.profiles.writer import write_profiles
from kairos.apps.stack import Stack
from kairos.engine.channel import CHANNELS
from kairos.engine.profile.consent import UNREADABLE, has_opted_out
from kairos.usecases.operation.dataset.clickstream import to_profiles

pytestmark = pytest.mark.stack


@pytest.fixture
def client(stack: Stack) -> Iterator[redis.Redis]:
    with connect(stack.settings.redis_url) as client:
        yield client


def read_back(client: redis.Redis, users: list[str]) -> dict[str, Any]:
    profiles = RedisProfiles(client, 60.0, 10, lambda _name: None, degrade=False)
    try:
        return {user: profiles.get(user) for user in users}
    finally:
        profiles.close()


def name() -> str:
    return uuid.uuid4().hex


def test_every_kind_of_value_comes_back(client: redis.Redis) -> None:
    table = {
        name(): {
            "phone": "0123",
            "name": "42",
            "cohort": "2024-01",
            "code": "17",
            "level": 3,
            "score": 1.5,
            "vip": True,
            "crowds": ["staff"],
            "address": {"city": "Köln"},
        },
        name(): {"email": "a@example.com", "phone": None},
    }
    assert write_profiles(client, table) == 2
    first, second = table
    assert read_back(client, [first, second]) == {first: table[first], second: {"email": "a@example.com"}}


def test_a_profile_is_replaced_as_a_whole_and_others_stay(client: redis.Redis) -> None:
    one, other = name(), name()
    write_profiles(client, {one: {"phone": "1", "level": 2}, other: {"phone": "2"}})
    write_profiles(client, {one: {"email": "b@example.com"}})
    assert read_back(client, [one, other]) == {one: {"email": "b@example.com"}, other: {"phone": "2"}}


def test_what_workers_wrote_stays_where_the_new_profile_says_nothing_of_it(client: redis.Redis) -> None:
    one, other = name(), name()
    told = {"unsubscribed": ["sms"], "dead_addresses": ["0138"]}
    write_profiles(client, {one: {"level": 1, **told}, other: told})
    write_profiles(client, {one: {"phone": "0138"}, other: {"unsubscribed": [], "dead_addresses": []}})
    assert read_back(client, [one, other]) == {
        one: {"phone": "0138", **told}, other: {"unsubscribed": ["sms"], "dead_addresses": []},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "new", "after"),
    [
        ('["sms"]', ["email"], ["sms", "email"]),
        ('["sms"]', ["sms"], ["sms"]),
        ('["sms"]', [], ["sms"]),
        ('["sms"]', None, ["sms"]),
        ("[]", ["email"], ["email"]),
        ("[]", [], []),
        ("false", ["email"], ["email"]),
        ("sms", ["email"], ["sms", "email"]),
        ("true", [], ["true"]),
        ('{"sms":true}', ["email"], ['{"sms":true}', "email"]),
        ('["sms"', [], ['["sms"']),
    ],
)
def test_an_opt_out_outlives_an_import(client: redis.Redis, kept: str, new: Any, after: list[str]) -> None:
    """Whatever stands there: what cannot be read is a no, and stays one."""
    user = name()
    client.hset(PREFIX + user, mapping={"unsubscribed": kept, "lists": '["black"]'})
    write_profiles(client, {user: {"unsubscribed": new, "phone": "1"}})
    assert read_back(client, [user]) == {user: {"unsubscribed": after, "lists": ["black"], "phone": "1"}}
    for channel in CHANNELS:
        before = has_opted_out({"unsubscribed": _value(kept)}, channel)
        assert has_opted_out({"unsubscribed": after}, channel) >= before


def test_a_row_that_was_left_out_closes_until_one_can_be_read(client: redis.Redis) -> None:
    user = name()
    write_profiles(client, {user: {"phone": "1", "unsubscribed": ["email"]}})
    assert write_profiles(client, {user: Closed(unsubscribed=[UNREADABLE], lists=["black"])}) == 0
    closed = {"unsubscribed": ["email", UNREADABLE], "lists": ["black"]}
    assert read_back(client, [user]) == {user: {"phone": "1", **closed}}
    assert all(has_opted_out(closed, channel) for channel in CHANNELS)
    write_profiles(client, {user: {"phone": "2"}})
    assert read_back(client, [user]) == {user: {"phone": "2", **closed}}
    write_profiles(client, {user: {"phone": "2", "unsubscribed": ["push"]}})
    assert read_back(client, [user]) == {user: {"phone": "2", "unsubscribed": ["email", "push"], "lists": ["black"]}}


@pytest.mark.parametrize("kept", ["sms", "true", '{"sms":true}', '["push"', "3"])
def test_a_worker_that_adds_an_opt_out_loosens_nothing(client: redis.Redis, kept: str) -> None:
    user = name()
    client.hset(PREFIX + user, "unsubscribed", kept)
    RedisLists(client).opted_out(user, "email")
    RedisLists(client).opted_out(user, "email")
    after = read_back(client, [user])[user]
    assert after["unsubscribed"] == [kept, "email"]
    assert all(has_opted_out(after, c) >= has_opted_out({"unsubscribed": _value(kept)}, c) for c in CHANNELS)


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return text


def test_an_empty_profile_is_none(client: redis.Redis) -> None:
    user = name()
    write_profiles(client, {user: {"phone": "1"}})
    write_profiles(client, {user: {}})
    assert client.exists(PREFIX + user) == 0


def test_more_than_one_batch(client: redis.Redis) -> None:
    table = {name(): {"level": number} for number in range(BATCH + 1)}
    heard: list[int] = []
    assert write_profiles(client, table, heard.append) == BATCH + 1
    assert heard == [BATCH, BATCH + 1]
    assert sum(client.exists(PREFIX + user) for user in table) == BATCH + 1


def test_the_command_loads_a_file(stack: Stack, client: redis.Redis, tmp_path: Path) -> None:
    user = name()
    table = to_profiles([{"user_id": user, "user_cohort": "2024-01"}])
    file = tmp_path / "profiles.json"
    file.write_bytes(msgspec.json.encode(table))
    kairos = Path(sys.executable).with_name("kairos")
    command = [kairos, "profiles", "load", file, "--redis", stack.settings.redis_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert read_back(client, [user]) == table
    unreachable = [*command[:-1], "redis://127.0.0.1:1/0"]
    failed = subprocess.run(unreachable, capture_output=True, text=True, check=False, timeout=60)
    assert failed.returncode == 2
    assert "redis://127.0.0.1:1/0" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_the_command_loads_a_table_and_tells_what_it_left_out(
    stack: Stack, client: redis.Redis, tmp_path: Path
) -> None:
    one, two = name(), name()
    file = tmp_path / "customers.csv"
    file.write_text(f"user_id,phone,level,secret\n{one},0138,3,x\n{two},0139,high,x\n")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "profile.yaml").write_text("phone: string\nlevel: integer\n")
    kairos = Path(sys.executable).with_name("kairos")
    command = [kairos, "profiles", "load", file, "--redis", stack.settings.redis_url, "--rules", rules]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"{file}:3: level: an integer is expected; the row is left out\n" in done.stderr
    assert f"{file}:1: column 'secret' is not declared in profile.yaml; it is left out\n" in done.stderr
    assert read_back(client, [one, two]) == {one: {"phone": "0138", "level": 3}, two: None}
