"""A job that cannot start says in one line what is missing and where, before any JVM is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.rules import UNPAID, write_rules


def start(folder: Path, *overrides: str, conf: str = "conf/local.yaml") -> subprocess.CompletedProcess[str]:
    settings = [f"state.checkpoints={folder / 'checkpoints'}", f"job.log_dir={folder / 'log'}", *overrides]
    arguments = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "jobs.marketing", "--conf", conf, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert lines[0].startswith("kairos: ")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_kafka_is_not_there(tmp_path: Path) -> None:
    said = refused(start(tmp_path, "kafka.bootstrap=127.0.0.1:1"))
    assert "kafka.bootstrap: no Kafka broker answers (127.0.0.1:1: Connection refused)" in said
    assert "make up" in said


def test_an_address_that_is_none(tmp_path: Path) -> None:
    assert "'broker' is not an address; expected host:port" in refused(start(tmp_path, "kafka.bootstrap=broker"))


@pytest.mark.stack
def test_redis_is_not_there(tmp_path: Path, stack: object) -> None:
    kafka = f"kafka.bootstrap={stack.settings.kafka}"  # type: ignore[attr-defined]
    said = refused(start(tmp_path, kafka, "profiles.redis=redis://127.0.0.1:1/0"))
    assert "profiles: no Redis answers at redis://127.0.0.1:1/0" in said


@pytest.mark.stack
def test_mysql_is_not_there(tmp_path: Path, stack: object) -> None:
    kafka = f"kafka.bootstrap={stack.settings.kafka}"  # type: ignore[attr-defined]
    store = "rules.store=mysql+pymysql://kairos:secret@127.0.0.1:1/kairos"
    said = refused(start(tmp_path, kafka, "profiles.redis=null", store))
    assert "rules.store: the rule store mysql+pymysql://kairos:***@127.0.0.1:1/kairos does not answer" in said
    assert "secret" not in said


def embedded(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    events = folder / "events.jsonl"
    events.write_text("")
    files = (f"files.events={events}", f"files.output={folder / 'out'}", "profiles.file=null")
    return start(folder, *files, *overrides, conf="conf/embedded.yaml")


def test_the_rule_folder_is_not_there(tmp_path: Path) -> None:
    said = refused(embedded(tmp_path, f"rules.store={tmp_path / 'nowhere'}"))
    assert f"rules.store: the rule folder {tmp_path / 'nowhere'}" in said
    assert "No such file or directory" in said


def test_the_rules_have_errors(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules", unpaid=UNPAID.replace("within: 10m", "withn: 10m"))
    said = refused(embedded(tmp_path, f"rules.store={rules}"))
    assert "activities/test/unpaid.yaml:" in said
    assert "withn" in said


def test_the_rule_store_is_empty(tmp_path: Path) -> None:
    said = refused(embedded(tmp_path, f"rules.store=sqlite:///{tmp_path / 'rules.db'}"))
    assert "holds no release yet; `kairos publish` writes one" in said


def test_the_event_file_is_not_there(tmp_path: Path) -> None:
    said = refused(embedded(tmp_path, "files.events=nowhere.jsonl"))
    assert "files.events: there is no file nowhere.jsonl" in said


def test_the_profile_file_is_not_there(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules", unpaid=UNPAID)
    said = refused(embedded(tmp_path, f"rules.store={rules}", "profiles.file=nowhere.json"))
    assert "nowhere.json: No such file or directory" in said


def test_the_configuration_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.yaml: cannot be read: No such file" in refused(start(tmp_path, conf="nowhere.yaml"))


def test_there_is_nothing_to_resume_from(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jobs.marketing", "--conf", "conf/local.yaml", "--from", "latest"]
    done = subprocess.run(
        [*command, "--set", f"state.checkpoints={tmp_path}"], capture_output=True, text=True, check=False
    )
    assert f"there is no complete checkpoint in {tmp_path}" in refused(done)
