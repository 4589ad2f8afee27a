"""What import-linter cannot see: the engine never asks for the time; gates are one a file, in the contract's order."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kairos.engine.gate.order import GATES, WATCH_GATES

ENGINE = Path(__file__).parent.parent.parent / "kairos" / "engine"
CLOCKS = {"now", "utcnow", "today"}


def clock_calls(source: str) -> list[int]:
    """Lines with `<something>.now(...)` and the like on a class of datetime."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and ast.unparse(node.func.value) in ("datetime", "date", "datetime.datetime", "datetime.date")
    ]


def test_the_check_sees_a_clock() -> None:
    assert clock_calls("import datetime\nx = datetime.datetime.now(tz)\ny = scope.now()\n") == [2]


@pytest.mark.parametrize("file", sorted(ENGINE.rglob("*.py")), ids=lambda file: str(file.relative_to(ENGINE)))
def test_no_clock_in_the_engine(file: Path) -> None:
    assert clock_calls(file.read_text()) == []


# ------------------------------------------------------------------------------------------------------------- gates


NO_GATE = {"__init__", "address", "budget", "order", "question"}
"""Beside the gates: what they share, and the budget, which dispatch spends."""
REASONS = (
    ("state_and_dates", ("state", "paused", "dates")),
    ("black_list", ("blacklist",)),
    ("audience", ("audience",)),
    ("once", ("once",)),
    ("control_group", ()),
    ("quiet_hours", ("quiet_hours",)),
    ("reach", ("unreachable",)),
    ("caps", ("cap:",)),
    ("content", ("missing_value",)),
)
"""The gates in the order of the contract, each with the reasons that it gives."""


def test_the_gates_are_asked_in_the_order_of_the_contract() -> None:
    assert tuple(GATES) == tuple(name for name, _ in REASONS)
    assert [name for name in GATES if name in WATCH_GATES] == list(WATCH_GATES)


def test_each_gate_is_a_file_of_its_own() -> None:
    files = {file.stem for file in (ENGINE / "gate").glob("*.py")} - NO_GATE
    assert files == GATES.keys()
    assert {gate.__module__ for gate in GATES.values()} == {f"kairos.engine.gate.{name}" for name in GATES}


@pytest.mark.parametrize(("gate", "reasons"), REASONS)
def test_a_gate_gives_no_reasons_but_its_own(gate: str, reasons: tuple[str, ...]) -> None:
    tree = ast.parse((ENGINE / "gate" / f"{gate}.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "suppress"]
    given = {ast.unparse(call.args[0]).strip("f'\"").partition("{")[0] for call in calls}
    assert given <= {*reasons, "reason"}
    assert set(reasons) <= given
