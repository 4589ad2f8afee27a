"""What savepoints depend on is frozen: a change here makes the ones that exist unreadable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.flink, pytest.mark.timeout(300)]

UIDS = [
    "calc-1",
    "calc-2",
    "calc-3",
    "calc-4",
    "catalog",
    "changetodefaultparallel-1",
    "constraintenforcer-1",
    "constraintenforcer-2",
    "constraintenforcer-3",
    "datastreamtotable-1",
    "datastreamtotable-2",
    "datastreamtotable-3",
    "dispatch",
    "evaluate-thread",
    "kafkasource-default-catalog-default-database-events-1",
    "partition-1",
    "partition-2",
    "partition-3",
    "partition-4",
    "poll-rules",
    "records-1",
    "tabletodatastream-1",
    "tabletodatastream-2",
    "tabletodatastream-3",
    "tabletodatastream-4",
    "ticks-1",
    "timeless-rules",
    "union-1",
    "union-2",
]


def test_uids_and_maximum_parallelism(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.flink.topology", str(tmp_path / "log")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"uids": UIDS, "max_parallelism": 128}
