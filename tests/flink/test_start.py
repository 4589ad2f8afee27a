"""A job that cannot start says in one line what is missing and where, before any JVM is started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pyflink import java_gateway

from harness.rules import UNPAID, write_rules
from jobs import launch
from jobs.marketing import compose
from kairos.apps.stack import Stack

Start = Callable[..., str]


@pytest.fixture
def start(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Start:
    """`start("section.key=value", ..., conf=file)`: what the job says that does not start. Here and not in a process of
    its own, because it takes seconds to import."""

    def no_jvm(*_: object) -> None:
        raise AssertionError("a JVM is started")

    monkeypatch.setattr(java_gateway, "launch_gateway", no_jvm)

    def start(*overrides: str, conf: str = "conf/local.yaml") -> str:
        settings = [f"state.checkpoints={tmp_path / 'checkpoints'}", f"job.log_dir={tmp_path / 'log'}", *overrides]
        words = [word for setting in settings for word in ("--set", setting)]
        return refused(launch.main(compose, ["--conf", conf, *words]), capsys.readouterr().err)

    return start


@pytest.fixture
def embedded(tmp_path: Path, start: Start) -> Start:
    (tmp_path / "events.jsonl").write_text("")
    files = (f"files.events={tmp_path / 'events.jsonl'}", f"files.output={tmp_path / 'out'}", "profiles.file=null")
    return lambda *overrides: start(*files, *overrides, conf="conf/embedded.yaml")


def refused(code: int, said: str) -> str:
    assert code == 2
    assert said.startswith("kairos: ")
    assert "Traceback" not in said
    return said


def test_kafka_is_not_there(start: Start) -> None:
    said = start("kafka.bootstrap=127.0.0.1:1")
    assert "kafka.bootstrap: no Kafka broker answers (127.0.0.1:1: Connection refused)" in said
    assert "make up" in said


def test_an_address_that_is_none(start: Start) -> None:
    assert "'broker' is not an address; expected host:port" in start("kafka.bootstrap=broker")


@pytest.mark.stack
def test_redis_is_not_there(start: Start, stack: Stack) -> None:
    kafka = f"kafka.bootstrap={stack.settings.kafka}"
    said = start(kafka, "profiles.redis=redis://127.0.0.1:1/0")
    assert "profiles: no Redis answers at redis://127.0.0.1:1/0" in said


@pytest.mark.stack
def test_mysql_is_not_there(start: Start, stack: Stack) -> None:
    kafka = f"kafka.bootstrap={stack.settings.kafka}"
    store = "rules.store=mysql+pymysql://kairos:secret@127.0.0.1:1/kairos"
    said = start(kafka, "profiles.redis=null", store)
    assert "rules.store: the rule store mysql+pymysql://kairos:***@127.0.0.1:1/kairos does not answer" in said
    assert "secret" not in said


def test_the_rule_folder_is_not_there(tmp_path: Path, embedded: Start) -> None:
    said = embedded(f"rules.store={tmp_path / 'nowhere'}")
    assert f"rules.store: the rule folder {tmp_path / 'nowhere'}" in said
    assert "No such file or directory" in said


def test_the_rules_have_errors(tmp_path: Path, embedded: Start) -> None:
    rules = write_rules(tmp_path / "rules", unpaid=UNPAID.replace("within: 10m", "withn: 10m"))
    said = embedded(f"rules.store={rules}")
    assert "activities/test/unpaid.yaml:" in said
    assert "withn" in said


def test_the_rule_store_is_empty(tmp_path: Path, embedded: Start) -> None:
    said = embedded(f"rules.store=sqlite:///{tmp_path / 'rules.db'}")
    assert "holds no release yet; `kairos publish` writes one" in said


def test_the_event_file_is_not_there(embedded: Start) -> None:
    said = embedded("files.events=nowhere.jsonl")
    assert "files.events: there is no file nowhere.jsonl" in said


def test_the_profile_file_is_not_there(tmp_path: Path, embedded: Start) -> None:
    rules = write_rules(tmp_path / "rules", unpaid=UNPAID)
    said = embedded(f"rules.store={rules}", "profiles.file=nowhere.json")
    assert "nowhere.json: No such file or directory" in said


def test_the_configuration_is_not_there(start: Start) -> None:
    assert "nowhere.yaml: cannot be read: No such file" in start(conf="nowhere.yaml")


def test_there_is_nothing_to_resume_from(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jobs.marketing", "--conf", "conf/local.yaml", "--from", "latest"]
    done = subprocess.run(
        [*command, "--set", f"state.checkpoints={tmp_path}"], capture_output=True, text=True, check=False
    )
    assert f"there is no complete checkpoint in {tmp_path}" in refused(done.returncode, done.stderr)
