"""What import-linter cannot see: the engine never asks for the time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

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
