"""A runbook is read at night: each command in it can be called as it stands, and it says what to look at and to do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from jobs.settings import load
from kairos.adapters.output.dead_letters import BROKEN, MALFORMED
from kairos.engine.alarm.kinds import KINDS
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


def told_reasons() -> set[str]:
    """Reasons of dead letters, as docs/job.md lists those of the job and docs/delivery.md names those of a worker."""
    job, worker = ((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("job.md", "delivery.md"))
    table = job.split("Reasons of dead letters:")[1].split("## Time")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    return set(re.findall(r"`(\w+)`", " ".join(rows))) | set(re.findall(r"\(`(\w+)`\)", worker))


def test_reasons_of_dead_letters_are_told_where_letters_are_made() -> None:
    assert {"engine_error", "lost", "late", MALFORMED, BROKEN} <= told_reasons()


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_dead_letters_are_asked_for_by_a_reason_that_there_is(page: Path) -> None:
    asked = re.findall(r"dead-letters \w+[^`]*--reason (\w+)", page.read_text(encoding="utf-8"))
    assert set(asked) <= told_reasons()


def test_what_the_engine_failed_on_is_asked_for_as_the_job_calls_it() -> None:
    page = (ROOT / "docs" / "runbooks" / "EngineFailed.md").read_text(encoding="utf-8")
    operator = (ROOT / "operators" / "evaluate.py").read_text(encoding="utf-8")
    asked = set(re.findall(r"--reason (\w+)", page))
    assert asked == set(re.findall(r'dead\("(\w+)", self\._failed', operator))


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_it_says_what_to_look_at_and_the_way_back(page: Path) -> None:
    headings = re.findall("^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [page.stem, "Look at", "The way back"]


def test_event_time_stands_still_no_longer_without_heartbeats_than_is_said() -> None:
    """A partition is waited for as long as event time may be old: with traffic, HeartbeatSilent alone tells of it."""
    settings = load("conf/local.yaml", [])
    assert settings.time.idle_timeout == KINDS["WatermarkAge"].limit == 5 * 60_000
    for name in ("HeartbeatSilent", "WatermarkAge"):
        page = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
        assert "`time.idle_timeout` (5 minutes)" in page
