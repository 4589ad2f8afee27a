"""An audit at 80 columns: nothing is wider, and the numbers stand in one column."""

from __future__ import annotations

import io

import pytest

from kairos.adapters.decoding import Unreadable
from kairos.apps.view import audit as view
from kairos.apps.view import terminal
from kairos.usecases.results.audit.audit import Audit, Finding
from kairos.usecases.results.audit.result import Result

LONG = "every journey's messages between its entry and its end"
EXAMINED = {"runs": 1_000_000, "messages": 2_000_000, "ended": 900_000}
FOUND = Audit(
    {"decisions": "x"},
    {"decisions": 1_000_000, "sends": 900_000, "users": 100_000, "ledger rows": 900_000, "calls": 900_000},
    Unreadable(),
    [Finding("a", "no cap overshot", Result(1, EXAMINED), []), Finding("b", LONG, Result(1, EXAMINED), [])],
)


def lines(monkeypatch: pytest.MonkeyPatch, width: int | None) -> list[str]:
    monkeypatch.setattr(terminal, "terminal_width", lambda: width)
    monkeypatch.setattr(view, "terminal_width", lambda: width)
    told = io.StringIO()
    view.show(FOUND, told)
    return told.getvalue().splitlines()


def test_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    told = lines(monkeypatch, 80)
    assert [line for line in told if len(line) > 80] == []
    numbers = [line.index("1,000,000 runs") for line in told if "1,000,000 runs" in line]
    assert numbers == [46, 46]


def test_in_a_pipe_each_check_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"  ok     {LONG} 1,000,000 runs, 2,000,000 messages, 900,000 ended" in lines(monkeypatch, None)
