"""What there are several of grows in two places at most; test_docs.py plays the page that shows it."""

from __future__ import annotations

import pytest

from tests.unit.project.snippets import ROOT, snippets

PAGE = ROOT / "docs" / "extending.md"
LINES = PAGE.read_text(encoding="utf-8").splitlines()
STARTS = [number for number, line in enumerate(LINES) if line.startswith("## ")]
ENDS = [*STARTS[1:], len(LINES)]
SECTIONS = {LINES[start].removeprefix("## "): range(start, end) for start, end in zip(STARTS, ENDS, strict=True)}


def places(section: str) -> set[str]:
    """The files of the sources that a section adds or changes."""
    inside = [snippet for snippet in snippets(PAGE) if snippet.first in SECTIONS[section]]
    files = {snippet.options.get("of") or snippet.options.get("file", "") for snippet in inside}
    return {file for file in files if file.startswith("kairos/")}


@pytest.mark.parametrize("section", SECTIONS)
def test_one_more_is_two_places_at_most(section: str) -> None:
    assert len(places(section)) <= 2


def test_the_page_adds_one_of_each() -> None:
    said = {section for section in SECTIONS if places(section)}
    assert said == {"A channel", "A kind of metric", "A gate", "A lint check", "A command"}
