"""Files that can be read at one go, and folders in which a newcomer finds by name what is looked for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROOMS = ("kairos", "operators", "jobs", "benchmarks", "harness", "tools", "tests", "docs", "rules", "plans", "examples")
"""Folders of the project; what is built or installed lies elsewhere."""
CODE = (".py", ".js", ".css", ".html", ".java", ".sh")
LINES, FILES = 300, 25

FULL_FOLDERS = {
    "docs": "pages are linked to from outside by their names; docs/index.md says which is for whom",
    "docs/runbooks": "a page an alarm, called as the alarm is",
    "examples/playbooks/templates": "data: a text an activity and channel",
    "kairos/apps/console/templates": "a template a screen, called as the screen is",
    "tests/unit/rule/lint": "data: a table of cases a kind of file",
}
"""What is larger, and why."""


def files() -> list[Path]:
    found = (file for room in ROOMS for file in (ROOT / room).rglob("*") if file.is_file())
    return [file.relative_to(ROOT) for file in found if "__pycache__" not in file.parts and "_pb2" not in file.name]


def larger(sizes: dict[str, int], most: int) -> dict[str, int]:
    return {name: size for name, size in sizes.items() if size > most}


def test_what_is_larger_is_seen() -> None:
    assert larger({"a": 300, "b": 301}, 300) == {"b": 301}


def test_no_file_is_longer_than_one_reads_at_one_go() -> None:
    code = [file for file in files() if file.suffix in CODE]
    assert len(code) > 1_000
    sizes = {str(file): (ROOT / file).read_bytes().count(b"\n") for file in code}
    assert larger(sizes, LINES) == {}, f"divide by meaning what has over {LINES} lines"


def test_no_folder_holds_more_files_than_one_looks_through() -> None:
    sizes = Counter(str(file.parent) for file in files() if file.name != "__init__.py")
    assert larger(sizes, FILES).keys() <= FULL_FOLDERS.keys(), f"a folder of over {FILES} files needs rooms"
