"""A running job whose rules are rows in MariaDB: published from outside, and MariaDB away for a while."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.job import LiveJob, event, eventually, now
from harness.rules import watch, write_rules
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def own(own_stack: Callable[..., Stack]) -> Stack:
    return own_stack("kafka", "mariadb", "heartbeat")


@pytest.fixture
def job(own: Stack, tmp_path: Path) -> Iterator[LiveJob]:
    job = LiveJob(tmp_path / "job", own.settings.kafka, Path("rules"), [f"rules.store={own.settings.mysql_url}"])
    yield job
    job.close()


def publish(rules: Path, store: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kairos", "publish", str(rules), "--store", store]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def until_decided(job: LiveJob, user_id: str, *types: str) -> set[str]:
    """Goes on sending one event of each type until one is decided about: by which activities."""

    def decided() -> set[str]:
        job.send(*(event(user_id, kind, now()) for kind in types))
        return {record["activity"] for record in job.decisions(user_id)}

    return eventually(decided, bool)


def test_rules_stay_as_they_are_while_mysql_is_away(own: Stack, job: LiveJob, tmp_path: Path) -> None:
    store = own.settings.mysql_url
    rules = write_rules(tmp_path / "rules", first=watch("first", "login"))
    assert publish(rules, store).returncode == 0
    job.start().until_running()
    assert until_decided(job, "one", "login") == {"first"}

    write_rules(rules, second=watch("second", "logout"))
    assert publish(rules, store).returncode == 0
    assert until_decided(job, "two", "logout") == {"second"}

    own.down(["mariadb"])
    eventually(job.counters, lambda counters: counters["rules.refused"] > 0)
    write_rules(rules, third=watch("third", "search"))
    refused = publish(rules, store)
    assert refused.returncode == 2
    assert "the rule store mysql+pymysql://kairos:***@127.0.0.1" in refused.stderr
    assert "does not answer" in refused.stderr
    assert until_decided(job, "three", "login", "search") == {"first"}

    own.up(["mariadb"])
    assert publish(rules, store).returncode == 0
    assert until_decided(job, "four", "search") == {"third"}
    assert (job.state()["state"], job.restarts()) == ("RUNNING", 0)
