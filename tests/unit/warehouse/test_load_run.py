"""What a run on files leaves, in a warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.delivery.ledger import Call, Change, Row
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.engine.rule.model import RuleSet
from kairos.usecases.warehouse.load import Loaded
from kairos.usecases.warehouse.run import load_run
from tests.unit.warehouse.warehouse_kit import NOON, decision, event, fill, receipt, rows

ROW = Row("k1", "hello", "u1", "o1", 1, "sms", "sent", "w", 0, 1, NOON, NOON, None, "delivered")


def write(path: Path, documents: Iterable[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def run(folder: Path, *occurrences: str, key: str = "k1") -> Loaded:
    """A run that decided these occurrences. `key`: of its one call."""
    output, ledger = folder / "run", folder / "run" / "delivery.db"
    write(output / "parts" / "topic=decisions" / "part-0", [decision(occurrence=o) for o in occurrences])
    write(output / "receipts.jsonl", [receipt(occurrence=o) for o in occurrences])
    engine = open_engine(f"sqlite:///{ledger}")
    create_tables(engine)
    SqlLedger(engine).apply(
        [Change(None, msgspec.structs.replace(ROW, key=key), Call(key, 1, "w", NOON, NOON + 5, "accepted"))]
    )
    engine.dispose()
    events = write(folder / "events.jsonl", [event(), {"id": "no event"}])
    return load_run(folder / "w", RuleSet(), output, events, {"u1": {"timezone": "Asia/Shanghai"}}, ledger)


def test_all_of_it_is_there(tmp_path: Path) -> None:
    assert run(tmp_path, "o1", "o2").broken == 1
    assert rows(tmp_path / "w", "decisions", "occurrence") == [("o1",), ("o2",)]
    assert rows(tmp_path / "w", "receipts", "occurrence") == [("o1",), ("o2",)]
    assert rows(tmp_path / "w", "events", "id") == [("e1",)]
    assert rows(tmp_path / "w", "profiles", "user_id, timezone") == [("u1", "Asia/Shanghai")]
    columns = "key, number, channel, outcome, started_ms, ended_ms"
    assert rows(tmp_path / "w", "calls", columns) == [("k1", 1, "sms", "accepted", NOON, NOON + 5)]


def test_a_run_replaces_the_run_before_it(tmp_path: Path) -> None:
    run(tmp_path, "o1", "o2")
    run(tmp_path, "o3")
    assert rows(tmp_path / "w", "decisions", "occurrence") == [("o3",)]
    assert rows(tmp_path / "w", "events", "id") == [("e1",)]


def test_what_was_loaded_otherwise_stays(tmp_path: Path) -> None:
    run(tmp_path, "o1")
    fill(tmp_path / "w", events=[event("by hand")])
    run(tmp_path, "o2")
    run(tmp_path, "o3")
    assert rows(tmp_path / "w", "decisions", "occurrence") == [("o1",), ("o2",), ("o3",)]
    assert rows(tmp_path / "w", "events", "id") == [("by hand",), ("e1",)]
