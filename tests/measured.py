"""A world of a test, played through the real engine and loaded into a warehouse, to be measured."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import Loaded, load
from kairos.usecases.warehouse.load import Inputs, Lines
from kairos.usecases.warehouse.load import load as load_warehouse

START, HOUR, DAY = 1_793_491_200_000, 3_600_000, 86_400_000  # 2026-11-01T00:00Z


def valid(files: Mapping[str, bytes]) -> Loaded:
    loaded = load(files)
    assert loaded.rules is not None, loaded.findings
    return loaded


def play(warehouse: Path, loaded: Loaded, events: list[Event]) -> list[Record]:
    """The decisions; the warehouse has them, the events, and what the rules mean."""
    assert loaded.rules is not None
    records = list(Simulation(loaded.rules).run(events))
    keep(warehouse, loaded, events, records)
    return records


def keep(warehouse: Path, loaded: Loaded, events: list[Event], records: Iterable[Record]) -> None:
    """The warehouse has these decisions, whoever made them."""
    assert loaded.rules is not None
    happened = ({"id": e.id, "type": e.type, "user_id": e.user_id, "time": e.time, "props": e.props} for e in events)
    inputs = Inputs(events=[_lines(happened)], decisions=[_lines(map(msgspec.to_builtins, records))])
    load_warehouse(warehouse, loaded.rules, inputs, lambda *wrong: pytest.fail(str(wrong)))


def _lines(values: Iterable[Any]) -> Lines:
    return Lines("made here", io.BytesIO("".join(json.dumps(one) + "\n" for one in values).encode()))
