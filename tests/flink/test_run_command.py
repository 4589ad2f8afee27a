"""`kairos run`: the job on files, from the command to the summary of what it left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.rules import UNPAID, write_rules

pytestmark = [pytest.mark.flink, pytest.mark.timeout(600)]

T = 1_763_778_000_000


def kairos(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("kairos"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)


def configuration(folder: Path, rules: Path) -> Path:
    order = {"id": "e1", "type": "order_created", "user_id": "u1", "time": T, "props": {"order_id": "o1"}}
    events = folder / "events.jsonl"
    events.write_text(json.dumps(order) + "\n{no event}\n")
    conf = folder / "conf.yaml"
    conf.write_text(
        f"files: {{events: {events}, output: {folder / 'elsewhere'}}}\n"
        f"rules: {{store: {rules}}}\nrehearsal: true\njob: {{log_dir: {folder / 'log'}}}\n"
        f"warehouse: {{folder: {folder / 'warehouse'}}}\n"
    )
    return conf


def test_a_run_on_files_ends_with_its_summary(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules", unpaid=UNPAID)
    conf = configuration(tmp_path, rules)
    done = kairos("run", "--conf", conf, "--output", tmp_path / "out", "--rules", rules)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["all", "send", "1"] in [row[:3] for row in rows]
    assert "Dead letters: 1" in done.stdout
    assert str(tmp_path / "out") in done.stdout
    assert not (tmp_path / "elsewhere").exists()
    (sent,) = (tmp_path / "out" / "outbox").glob("*.jsonl")
    assert len(sent.read_bytes().splitlines()) == 1
    assert f"{sent}  1 message" in done.stdout
    assert str(tmp_path / "out" / "delivery.db") in done.stdout
    asked = kairos(
        "sql", "SELECT outcome, count(*) AS n FROM decisions GROUP BY 1", "--warehouse", tmp_path / "warehouse"
    )
    assert asked.stdout.split() == ["outcome", "n", "send", "1"]
    assert "reach-unpaid" in (tmp_path / "out" / "report.html").read_text()
    made = [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_what_keeps_the_job_from_starting_is_said_once(tmp_path: Path) -> None:
    conf = configuration(tmp_path, tmp_path / "no-rules")
    done = kairos("run", "--conf", conf, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "no-rules" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("a: [", "not valid YAML")])
def test_a_configuration_that_cannot_be_read(tmp_path: Path, content: str | None, said: str) -> None:
    conf = tmp_path / "conf.yaml"
    if content is not None:
        conf.write_text(content)
    done = kairos("run", "--conf", conf)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
