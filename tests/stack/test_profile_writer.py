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

from kairos.adapters.profile_writer import write_profiles
from kairos.adapters.profiles import BATCH, PREFIX, RedisProfiles, connect
from kairos.apps.dataset import to_profiles
from kairos.apps.stack import Stack

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
    write_profiles(client, {one: {"phone": "0138"}, other: {"unsubscribed": []}})
    assert read_back(client, [one, other]) == {
        one: {"phone": "0138", **told}, other: {"unsubscribed": [], "dead_addresses": ["0138"]},
    }  # fmt: skip


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
