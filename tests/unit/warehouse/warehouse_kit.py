"""Warehouses for tests: lines in, rows of a table out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.rule.model import RuleSet
from kairos.usecases.warehouse.load import Inputs, Lines, Loaded, load

NOON = 1_793_620_800_000
"""2026-11-02T12:00Z"""
DAY = 86_400_000
HOUR = 3_600_000


def event(id: str = "e1", time: int = NOON, **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "open", "user_id": "u1", "time": time, "source": "app", "props": {}, **fields}


def decision(at: int = NOON, **fields: Any) -> dict[str, Any]:
    known = {"activity": "hello", "version": "1", "variant": None, "template": None, "user_id": "u1", "at": at}
    known |= {"outcome": "send", "reason": None, "channel": "sms", "occurrence": "o1", "steps": {}, "data": {}}
    return {**known, **fields}


def receipt(time: int = NOON, user: str = "u1", **props: Any) -> dict[str, Any]:
    known = {"activity": "hello", "occurrence": "o1", "attempt": 1, "channel": "sms", "status": "sent"}
    return {"type": "receipt", "user_id": user, "time": time, "props": {**known, **props}}


def lines(name: str, documents: Iterable[dict[str, Any] | bytes]) -> Lines:
    parts = [d if isinstance(d, bytes) else json.dumps(d, ensure_ascii=False).encode() for d in documents]
    return Lines(name, io.BytesIO(b"\n".join(parts)))


def fill(
    folder: Path,
    *,
    events: Iterable[dict[str, Any] | bytes] = (),
    decisions: Iterable[dict[str, Any] | bytes] = (),
    receipts: Iterable[dict[str, Any] | bytes] = (),
    profiles: dict[str, dict[str, Any]] | None = None,
    rules: RuleSet | None = None,
    broken: list[tuple[str, int, str]] | None = None,
) -> Loaded:
    """Loads it. `broken` takes what is reported; without it there must be nothing to report."""

    def report(name: str, line: int, reason: str, _content: bytes) -> None:
        assert broken is not None, f"{name}:{line}: {reason}"
        broken.append((name, line, reason))

    inputs = Inputs(profiles=profiles)
    inputs.events = [lines("events.jsonl", events)]
    inputs.decisions = [lines("decisions.jsonl", decisions)]
    inputs.receipts = [lines("receipts.jsonl", receipts)]
    return load(folder, rules or RuleSet(), inputs, report)


def rows(folder: Path, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """Sorted."""
    engine = open_engine(folder)
    try:
        return engine.query(f"SELECT {columns} FROM {table} ORDER BY ALL").rows
    finally:
        engine.close()
