"""What every use case keeps to: it talks to nobody, ends nothing, and its results are values that can be written down.

import-linter sees to it that none imports typer, rich or anything of kairos.apps.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

import kairos.usecases

FOLDER = Path(kairos.usecases.__path__[0])
APPS = FOLDER.parent / "apps"
FILES = sorted(FOLDER.rglob("*.py"))
TALKING = {"print", "input", "exit", "quit", "breakpoint"}
STREAMS = {"sys.stdout", "sys.stderr", "sys.stdin", "sys.exit", "sys.argv", "os._exit", "os.execv"}


def talking_in(source: str) -> list[str]:
    """Everything in it that would print, ask or end the process."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TALKING:
            found.append(node.func.id)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in STREAMS:
            found.append(ast.unparse(node))
        if isinstance(node, ast.Name) and node.id in ("SystemExit", "KeyboardInterrupt"):
            found.append(node.id)
    return sorted(found)


def test_the_check_sees_who_talks() -> None:
    source = "print(1)\nsys.stderr.write('x')\nraise SystemExit\nfile.write('y')\n"
    assert talking_in(source) == ["SystemExit", "print", "sys.stderr"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_no_use_case_prints_or_exits(file: Path) -> None:
    assert talking_in(file.read_text(encoding="utf-8")) == []


# ----------------------------------------------------------------------------------------------------------- results
NO_RESULTS = {
    "kairos.usecases.control.advance.asking",  # how to ask
    "kairos.usecases.operation.dataset.cdnow.prepare",  # files of this machine
    "kairos.usecases.operation.dataset.clickstream.prepare",
    "kairos.usecases.people.places.places_of",  # what is open
    "kairos.usecases.people.score_store.profile_writer",
}
"""What kairos.apps calls for something else than an answer."""


def asked_for() -> Iterator[FunctionType]:
    """The functions of use cases that anything in kairos.apps calls. What only other use cases call is a part of them,
    as is a context manager, which gives what is open."""
    found = {}
    for file in sorted(APPS.rglob("*.py")):
        for module, name in imported(file.read_text(encoding="utf-8")):
            value = getattr(import_module(module), name, None)
            own = isinstance(value, FunctionType) and value.__module__.startswith("kairos.usecases")
            if own and not inspect.isgeneratorfunction(inspect.unwrap(value)):
                found[f"{value.__module__}.{name}"] = value
    return (value for name, value in found.items() if name not in NO_RESULTS)


def imported(source: str) -> Iterator[tuple[str, str]]:
    """(module, name) of all that is taken from kairos.usecases: imported by name, or through its module."""
    tree = ast.parse(source)
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kairos.usecases"):
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                if hasattr(import_module(node.module), "__path__") and find_spec(inner):
                    modules[name.asname or name.name] = inner
                else:
                    yield node.module, name.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def test_the_search_finds_both_ways_to_call() -> None:
    source = """from kairos.usecases.rules import publish as usecase
from kairos.usecases.results.sql import ask
usecase.propose()
"""
    assert [*imported(source)] == [("kairos.usecases.results.sql", "ask"), ("kairos.usecases.rules.publish", "propose")]
    assert len([*asked_for()]) > 40


def results(function: FunctionType) -> Iterator[Any]:
    """What it returns, or gives one by one."""
    hint = get_type_hints(function)["return"]
    if isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Iterator):
        yield from get_args(hint)
    else:
        yield hint


PLAIN = (int, float, str, bool, bytes, type(None), date, datetime)
CONTAINERS = (Mapping, Sequence, Set)


@cache
def unwritable(kind: Any) -> frozenset[Any]:
    """Types inside of it that msgspec cannot write as JSON."""
    found: set[Any] = set()
    seen: set[Any] = set()

    def look(hint: Any) -> None:
        origin = get_origin(hint)
        if origin is Literal or hint in (Any, ..., object, None, msgspec.UnsetType) or hint in seen:
            return
        if origin in (Union, UnionType) or (isinstance(origin, type) and issubclass(origin, CONTAINERS)):
            for argument in get_args(hint):
                look(argument)
        elif origin is Annotated:
            look(get_args(hint)[0])
        elif isinstance(hint, type) and (
            issubclass(hint, msgspec.Struct) or is_dataclass(hint) or hasattr(hint, "_fields")
        ):
            seen.add(hint)
            for name, field in get_type_hints(hint, include_extras=True).items():
                if get_origin(field) is not ClassVar and not name.startswith("__"):
                    look(field)
        elif not (isinstance(hint, type) and issubclass(hint, (*PLAIN, *CONTAINERS, Enum))):
            found.add(hint)

    look(kind)
    return frozenset(found)


class Bad(msgspec.Struct):
    inside: list[dict[str, Path | None]]


def test_the_check_sees_what_cannot_be_written() -> None:
    assert unwritable(Bad) == {Path}
    assert unwritable(dict[str, int]) == frozenset()


@pytest.mark.parametrize(
    "function", list(asked_for()), ids=lambda function: f"{function.__module__}.{function.__name__}"
)
def test_results_can_be_written_as_json(function: FunctionType) -> None:
    assert {kind for result in results(function) for kind in unwritable(result)} == set()
