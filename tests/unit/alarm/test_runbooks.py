"""Every built-in alarm has a runbook, and what it tells to type exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kairos.apps.cli import COMMANDS
from kairos.engine.alarm.kinds import KINDS, runbook

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", KINDS)
def test_a_runbook_says_what_it_means_and_the_way_back(kind: str) -> None:
    text = (ROOT / runbook(kind)).read_text(encoding="utf-8")
    assert text.startswith(f"# {kind}\n")
    assert {"## Look at", "## The way back"} <= set(text.splitlines())
    for name in re.findall(r"`kairos ([a-z-]+)", text):
        assert name in COMMANDS, name
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / runbook(kind)).with_name(link).exists(), link
