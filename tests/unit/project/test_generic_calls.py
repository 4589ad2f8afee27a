"""`list[Event]()` costs forty times what `[]` costs, since Python tries to note the parameters on what it has made: on
the way of every event a variable is annotated instead."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = ("kairos/engine", "operators")


def generic_calls(text: str) -> list[int]:
    """The lines on which a generic type with parameters is called."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if isinstance(call.func, ast.Subscript) and _is_type(call.func.value)]


def _is_type(node: ast.expr) -> bool:
    """What is called by its place in a list or dictionary is in small letters, or all in capitals."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in {"list", "dict", "set", "frozenset", "tuple", "deque", "defaultdict"} or (
        name[:1].isupper() and not name.isupper()
    )


@pytest.mark.parametrize("call", ["list[int]()", "collections.Counter[str]()", "defaultdict[int, list[int]](list)"])
def test_a_call_is_seen(call: str) -> None:
    assert generic_calls(f"a = 1\nfound = {call}\n") == [2]
    assert generic_calls("found = handlers[name](); found = list(); x: list[int] = []\n") == []


@pytest.mark.parametrize("room", ROOMS)
def test_there_is_none_where_events_pass(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    found = [f"{file.relative_to(ROOT)}:{line}" for file in files for line in generic_calls(file.read_text())]
    assert found == [], "annotate the variable: `found: list[Event] = []`"
