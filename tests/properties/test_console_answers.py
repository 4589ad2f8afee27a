"""What the console keeps of a warehouse, against asking it each time, whatever becomes of its files in between."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.adapters.warehouse.opening import open_engine
from kairos.apps.console.answers import Answers
from kairos.usecases.results.sends import held, lately
from kairos.usecases.warehouse.care import compact, forget, trim
from kairos.usecases.warehouse.load import Inputs, Lines, load
from tests.measured import DAY, HOUR, START, valid

RULES = valid({"activities/all/nudge.yaml": b"activity: nudge\nstate: live\ntrigger: {event: cart}\n"}).rules
USERS = st.sampled_from(["ann", "bob", "eve"])
OUTCOMES = st.sampled_from([("send", None), ("hold", "quiet_hours"), ("suppress", "cap:day"), ("suppress", "budget")])
ROW = st.tuples(USERS, OUTCOMES, st.integers(0, 3), st.integers(0, 40 * 24))
LOADED = st.lists(ROW, min_size=1, max_size=6)
STEPS = st.one_of(LOADED, USERS, st.sampled_from(["compact", "trim", "nothing"]))
NOTHING = {"version": "1", "variant": None, "template": None, "channel": None, "steps": {}, "data": {}}


def change(warehouse: Path, step: Any) -> None:
    match step:
        case "compact":
            compact(warehouse)
        case "trim":
            trim(warehouse, 20 * DAY)
        case str() if step != "nothing":
            forget(warehouse, step)
        case list():
            put(warehouse, step)


def put(warehouse: Path, rows: Sequence[tuple[str, tuple[str, str | None], int, int]]) -> None:
    events, decisions = [], []
    for user, (outcome, reason), occurrence, hour in rows:
        at = START + hour * HOUR
        events.append({"id": f"{user}{hour}", "type": "cart", "user_id": user, "time": at, "props": {}})
        told = {"activity": "nudge", "user_id": user, "occurrence": str(occurrence), "outcome": outcome, "at": at}
        decisions.append({**NOTHING, **told, "reason": reason})
    assert RULES is not None
    inputs = Inputs(events=[_lines(events)], decisions=[_lines(decisions)])
    load(warehouse, RULES, inputs, lambda *wrong: pytest.fail(str(wrong)))


def _lines(values: Sequence[Any]) -> Lines:
    return Lines("made here", io.BytesIO("".join(json.dumps(one) + "\n" for one in values).encode()))


def said(warehouse: Path) -> tuple[bytes, int]:
    with closing(open_engine(warehouse)) as engine:
        return msgspec.json.encode(lately(engine), order="deterministic"), held(engine, "nudge")


def by_hand(warehouse: Path) -> int:
    """Matches that wait, from the rows."""
    with closing(open_engine(warehouse)) as engine:
        rows = engine.query("SELECT user_id, occurrence, outcome FROM decisions").rows
    return len({row[:2] for row in rows if row[2] == "hold"} - {row[:2] for row in rows if row[2] != "hold"})


@settings(max_examples=5)
@given(first=LOADED, steps=st.lists(STEPS, min_size=1, max_size=4))
def test_what_is_kept_is_what_the_files_say(first: Any, steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        warehouse, answers = Path(name) / "warehouse", Answers()
        put(warehouse, first)
        for step in steps:
            change(warehouse, step)
            kept = answers.get(warehouse, "all", lambda: said(warehouse))
            assert kept == said(warehouse)
            assert kept[1] == by_hand(warehouse)
            assert answers.known(warehouse, "all")
            assert answers.get(warehouse, "all", lambda: pytest.fail("asked twice")) == kept
