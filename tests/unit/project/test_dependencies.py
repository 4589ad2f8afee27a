"""What is imported is declared in setup.py, what is declared is used, and docs/dependencies.md says of each why."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OURS = {"kairos", "operators", "jobs"}
DECLARED = dict(re.findall(r'"([\w.\-]+)==([\w.\-]+)"', (ROOT / "setup.py").read_text()))
DEV = set(re.findall(r'"([\w.\-]+)==', (ROOT / "setup.py").read_text().partition("DEV = [")[2]))

NOT_IMPORTED = {
    "tzdata": "zoneinfo reads it where the system has no time zones",
    "hiredis": "redis takes it by itself where it is installed",
    "httptools": "uvicorn takes it by itself where it is installed",
    "elasticsearch": "imported by name: whichever the server is (adapters/search)",
    "opensearch-py": "imported by name: whichever the server is (adapters/search)",
}
BROUGHT_ALONG = {"pemja": "the bridge to Java of thread mode: of Flink, and of its version"}


@cache
def imported() -> dict[str, str]:
    """First names of all that is imported and not of Python or ours -> a file that does it."""
    found: dict[str, str] = {}
    for file in (file for folder in OURS for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found |= {name.split(".")[0]: str(file.relative_to(ROOT)) for name in names}
    return {name: file for name, file in found.items() if name not in OURS | sys.stdlib_module_names}


@pytest.fixture(scope="module")
def packages() -> dict[str, set[str]]:
    """First name of an import -> the packages that have it, as setup.py writes them. What is an extra need not be
    installed: its packages are told by their names then."""
    known = {name.lower().replace("_", "-"): name for name in DECLARED}
    found = {
        name: {known.get(package.lower().replace("_", "-"), package) for package in of}
        for name, of in packages_distributions().items()
    }
    for name in imported().keys() - found:
        found[name] = {package for plain, package in known.items() if plain.startswith(f"{name.lower()}-")}
    return found


def test_what_is_imported_is_declared(packages: dict[str, set[str]]) -> None:
    undeclared = {
        name: file
        for name, file in imported().items()
        if name not in BROUGHT_ALONG and not packages.get(name, set()) & (DECLARED.keys() - DEV)
    }
    assert undeclared == {}


def test_what_is_declared_is_imported(packages: dict[str, set[str]]) -> None:
    used = {package for name in imported() for package in packages.get(name, set())}
    assert DECLARED.keys() - DEV - used == NOT_IMPORTED.keys()


def test_of_each_it_is_said_why() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    explained = {name for row in rows for name in row.split(", ")}
    assert DECLARED.keys() - explained == set()


def test_what_is_installed_together_is_locked() -> None:
    locked = dict(re.findall(r"^([\w.\-]+)==(\S+)$", (ROOT / "tools" / "constraints.txt").read_text(), re.MULTILINE))
    lowered = {name.lower().replace("_", "-"): version for name, version in locked.items()}
    assert {name for name, version in DECLARED.items() if lowered.get(name.lower()) != version} == set()
