"""What import-linter cannot see: clocks in the engine, imports by a name in a text, and the contract of the gates."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from kairos.engine.gate.order import GATES, WATCH_GATES

ROOT = Path(__file__).parents[3]
ENGINE = ROOT / "kairos" / "engine"
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


# ----------------------------------------------------------------------------------------------------------- imports


BY_NAME = {
    "kairos/apps/cli.py": "the commands, each when it is called",
    "kairos/adapters/channels/providers.py": "the providers, each where a channel has it",
    "kairos/adapters/search/server.py": "the client library of the server that there is",
    "kairos/preloading.py": "all that tasks may need, before the job that brought it along is gone",
}
"""Who may import what only a text names, so that no contract sees it, and what."""


def test_nobody_else_imports_what_a_text_names() -> None:
    sources = [file for folder in ("kairos", "operators", "jobs") for file in (ROOT / folder).rglob("*.py")]
    by_name = [file for file in sources if re.search(r"\b(import_module|__import__)\(", file.read_text())]
    assert {str(file.relative_to(ROOT)) for file in by_name} == BY_NAME.keys()


def test_benchmarks_borrow_nothing_of_the_tests() -> None:
    imported = re.compile(r"^\s*(from|import) tests\b", re.MULTILINE)
    files = [file for folder in ("benchmarks", "harness") for file in (ROOT / folder).rglob("*.py")]
    assert [file for file in files if imported.search(file.read_text())] == []


# ------------------------------------------------------------------------------------------------------------- gates


NO_GATE = {"__init__", "budget", "order", "question", "worth"}
"""Beside the gates: what they share, and the budget, which dispatch spends."""
REASONS = (
    ("slot", ("expired", "paused")),
    ("state_and_dates", ("state", "paused", "dates")),
    ("black_list", ("blacklist",)),
    ("consent", ("consent",)),
    ("audience", ("audience",)),
    ("once", ("once",)),
    ("control_group", ()),
    ("quiet_hours", ("quiet_hours",)),
    ("send_window", ()),
    ("reach", ("unreachable",)),
    ("caps", ("cap:",)),
    ("content", ("missing_value",)),
)
"""The gates in the order of the contract, each with the reasons to suppress that its text names."""


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
    named = [call.args[0] for call in calls if isinstance(call.args[0], ast.Constant | ast.JoinedStr)]
    assert {ast.unparse(reason).strip("f'\"").partition("{")[0] for reason in named} == set(reasons)


# ------------------------------------------------------------------------------------------------------ where what is
def test_what_architecture_names_is_there() -> None:
    named = re.findall(
        r"`((?:kairos|jobs|operators|tests|tools|conf|rules)/[\w./-]*)`", (ROOT / "ARCHITECTURE.md").read_text()
    )
    assert len(named) > 25
    assert [path for path in named if not (ROOT / path).exists()] == []
