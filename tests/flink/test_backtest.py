"""A backtest on the mini-cluster says what `kairos compare` says; in parallel: tests/cluster/test_cluster.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.backtest_kit import Clickstream
from tests.unit.cli.cli_kit import run as kairos

pytestmark = [pytest.mark.flink, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def clickstream(tmp_path_factory: pytest.TempPathFactory) -> Clickstream:
    return Clickstream(tmp_path_factory.mktemp("clickstream"))


def test_record_for_record(tmp_path: Path, clickstream: Clickstream, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(folder: Path) -> None:
        sets = ["--set", "job.parallelism=1"]
        job = [sys.executable, "-m", "jobs.backtest", "--folder", str(folder), *sets]
        subprocess.run(job, cwd=ROOT, check=True)

    clickstream.check(tmp_path, run, monkeypatch)


def test_the_command_says_what_compare_says(tmp_path: Path, clickstream: Clickstream) -> None:
    sets = ["--set", "B:policy.caps.marketing.rules.0.max=1", "--format", "json", "--out", tmp_path]
    told = kairos("backtest", "rules", "rules", "--warehouse", clickstream.warehouse, *sets)
    assert told.exit_code == 1, told.output
    given = Path(clickstream.events), Path(clickstream.profiles)
    expected = kairos("compare", "rules", "rules", given[0], "--profiles", given[1], *sets[:4], "--out", tmp_path / "c")
    one, other = (msgspec.json.decode(each.stdout) for each in (told, expected))
    assert one["activities"] == other["activities"]
    assert (tmp_path / "differences.jsonl").read_bytes() == (tmp_path / "c" / "differences.jsonl").read_bytes()
