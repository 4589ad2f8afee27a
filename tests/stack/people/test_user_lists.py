"""`kairos list`: who is put on a list is there for the job, and who did it is written down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import redis

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.user_lists import UserLists
from kairos.apps.stack import Stack
from kairos.engine.rule.reads.needs import Needs

pytestmark = pytest.mark.stack


@pytest.fixture
def conf(tmp_path: Path, stack: Stack) -> Path:
    path = tmp_path / "conf.yaml"
    settings = stack.settings
    path.write_text(
        f"kafka: {{bootstrap: {settings.kafka}}}\nprofiles: {{redis: '{settings.redis_url}'}}\n"
        f"delivery: {{store: '{settings.mysql_url}'}}\nrules: {{store: 'sqlite:///{tmp_path / 'rules.db'}'}}\n"
    )
    return path


def kairos(conf: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kairos", "list", *words, "--conf", str(conf)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_who_is_put_on_a_list_is_found_there_by_the_job(conf: Path, stack: Stack) -> None:
    assert kairos(conf, "add", "black", "lists-1", "lists-2", "--reason", "by mail").stdout == (
        "black: 2 added, 0 as they were\n"
    )
    assert kairos(conf, "add", "black", "lists-1").stdout == "black: 0 added, 1 as they were\n"
    assert kairos(conf, "add", "crowd:staff", "lists-1").returncode == 0
    with connect(stack.settings.redis_url) as client:
        profiles = RedisProfiles(client, 60.0, 10, lambda _name: None, degrade=False)
        profiles.need(Needs(None, frozenset({"staff"}), frozenset({"black"})))
        profile = profiles.get("lists-1")
        profiles.close()
    assert profile is not None
    assert (profile["lists"], profile["crowds"]) == (["black"], ["staff"])
    assert kairos(conf, "remove", "black", "lists-1").stdout == "black: 1 removed, 0 as they were\n"
    (line,) = [line for line in kairos(conf, "show", "black").stdout.splitlines() if "lists-" in line]
    assert line.startswith("lists-2 ")
    assert line.endswith(": by mail")
    kairos(conf, "remove", "black", "lists-2")


def test_each_change_is_kept(stack: Stack) -> None:
    engine = open_engine(stack.settings.mysql_url)
    create_tables(engine)
    with connect(stack.settings.redis_url) as client:
        lists = UserLists(engine, client)
        assert lists.put("white", ["kept-1"], added=True, reason=None, by="ann", now=1) == 1
        assert lists.put("white", ["kept-1", "KEPT-1"], added=False, reason="over", by="bob", now=2) == 1
        changes = lists.latest("white", ["kept-1", "KEPT-1"])
        client.sadd("list:white", "kept-2")
        assert "kept-2" in lists.members("white", 0, 10)[0]
        client.delete("list:white")
    engine.dispose()
    found = [(c.user_id, c.added, c.reason, c.changed_by, c.changed_at) for c in changes.values()]
    assert found == [("kept-1", False, "over", "bob", 2), ("KEPT-1", False, "over", "bob", 2)]


@pytest.mark.parametrize("name", ["grey", "crowd:", "crowd:A b"])
def test_a_list_that_there_is_not(conf: Path, name: str) -> None:
    done = kairos(conf, "add", name, "u1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected black, white or crowd:NAME" in " ".join(done.stderr.replace("│", " ").split())


def test_without_redis_nothing_is_written_down(stack: Stack) -> None:
    engine = open_engine(stack.settings.mysql_url)
    create_tables(engine)
    with redis.Redis(port=1, socket_connect_timeout=1) as away, pytest.raises(redis.RedisError):
        UserLists(engine, away).put("black", ["nobody"], added=True, reason=None, by="ann", now=1)
    with connect(stack.settings.redis_url) as client:
        assert "nobody" not in UserLists(engine, client).latest("black", ["nobody"])
    engine.dispose()
