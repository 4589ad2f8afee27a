"""A runbook is read at night: each command in it can be called as it stands, and it says what to look at and to do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.unit.deploy.kit import ROOT, check_words

RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
NUMBERS = {"RELEASE": "11"}
"""What stands for the words in capitals where not any word will do."""


def commands(page: Path) -> list[str]:
    spans = re.findall(r"`([^`]*)`", page.read_text(encoding="utf-8"))
    return [" ".join(span.split()) for span in spans if span.startswith("kairos ")]


def test_there_are_commands_to_check() -> None:
    assert sum(len(commands(page)) for page in RUNBOOKS) > 40


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_its_commands_can_be_called_as_they_stand(page: Path) -> None:
    for command in commands(page):
        check_words([NUMBERS.get(word, word) for word in shlex.split(command)[1:]])


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_it_says_what_to_look_at_and_the_way_back(page: Path) -> None:
    headings = re.findall("^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [page.stem, "Look at", "The way back"]
