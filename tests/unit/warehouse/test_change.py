"""A change of the warehouse happens as a whole, once, or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kairos.adapters.warehouse.change import WRITER, Change, changing
from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.journal import LOCK
from kairos.adapters.warehouse.lock import Lock
from kairos.adapters.warehouse.port import WarehouseError
from tests.unit.warehouse.warehouse_kit import DAY, NOON, event, fill, rows

LOADER = Path(__file__).with_name("killed_loader.py")
BEFORE = [event("old", NOON), event("contested", NOON + DAY)]
AFTER = [event("new", NOON), event("contested", NOON), event("late", NOON - DAY)]
COLUMNS = "id, time_ms"


def loader(warehouse: Path, events: Path, last: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(LOADER), str(warehouse), str(events), str(last)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_killed_anywhere_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(e) + "\n" for e in AFTER))
    fill(tmp_path / "whole", events=BEFORE)
    calls = int(loader(tmp_path / "whole", file, 0).stdout)
    old, new = sorted((e["id"], e["time"]) for e in BEFORE), rows(tmp_path / "whole", "events", COLUMNS)
    assert new == [("contested", NOON), ("late", NOON - DAY), ("new", NOON), ("old", NOON)]
    met = set()
    for point in range(1, 11):
        warehouse = tmp_path / f"killed-{point}"
        fill(warehouse, events=BEFORE)
        assert loader(warehouse, file, 1 + (calls - 1) * point // 10).returncode == 9
        seen = rows(warehouse, "events", COLUMNS)
        assert seen in (old, new)
        met.add(seen == new)
        fill(warehouse, events=AFTER)
        assert rows(warehouse, "events", COLUMNS) == new
        assert not list(warehouse.glob(".staging"))
    assert met == {False, True}


def test_while_one_process_writes_another_is_refused(tmp_path: Path) -> None:
    with changing(Folder(tmp_path)), pytest.raises(WarehouseError, match="another process is writing"):
        fill(tmp_path, events=[event()])
    fill(tmp_path, events=[event()])
    assert len(rows(tmp_path, "events")) == 1


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, events=[event("a")])

    def full(self: Change, *_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Change, "commit", full)
    with pytest.raises(WarehouseError, match=r"No space left on device; what was in the warehouse is there"):
        fill(tmp_path, events=[event("b")])
    assert rows(tmp_path, "events", "id") == [("a",)]


def test_files_change_places_only_while_nobody_reads(tmp_path: Path) -> None:
    fill(tmp_path, events=[event()])
    reading = Folder(tmp_path).read_lock()
    with pytest.raises(BlockingIOError):
        Lock(tmp_path / LOCK, wait=False)
    reading.close()
    Lock(tmp_path / LOCK, wait=False).close()
    Lock(tmp_path / WRITER, wait=False).close()
