"""The demonstration of fallback, as `make demo-fallback` runs it; it checks itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kairos.apps.native.settings import data_folder

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

RULES = Path("demos/fallback/rules")


def kairos(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kairos", *words],
        env={**os.environ, "KAIROS_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_each_text_message_that_is_due_arrives_once(tmp_path: Path) -> None:
    (tmp_path / "jars").symlink_to(data_folder() / "jars")
    done = kairos(tmp_path, "demo", "fallback", "--after", "4s")
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    for user, texts in (("anna", 1), ("ben", 1), ("clara", 0)):
        lines = [line for line in told if f" {user} " in line and " taken " in line]
        assert sum("sms:" in line for line in lines) == texts
    assert told[-1] == "as it should be"


def test_its_rules_have_no_findings_and_their_examples_pass(tmp_path: Path) -> None:
    assert kairos(tmp_path, "lint", str(RULES)).returncode == 0
    assert kairos(tmp_path, "test", str(RULES)).returncode == 0


def test_it_says_what_it_needs(tmp_path: Path) -> None:
    wrong = kairos(tmp_path, "demo", "fallback", "--after", "soon")
    assert (wrong.returncode, "10s" in wrong.stderr) == (2, True)
    missing = kairos(tmp_path, "demo", "fallback", "--rules", str(tmp_path / "none"))
    assert (missing.returncode, "no rule folder" in missing.stderr) == (2, True)
