"""A savepoint that an earlier version wrote resumes on this one, and what was open in it is decided.

The savepoint lies in `golden/`; `KAIROS_GOLDEN=write` writes it anew, for the state version that is checked out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.job import PARTITIONS, LiveJob, eventually
from kairos.adapters.kafka.topics import create_topics
from kairos.apps.stack import Stack
from tests.flink import golden_story as story

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.timeout(600)]

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = sorted(folder.name for folder in GOLDEN.glob("state-*"))
NEW = os.environ.get("KAIROS_GOLDEN")
"""`state-4`, say: the folder to write."""
FIELDS = ("activity", "user_id", "at", "outcome", "reason", "channel", "occurrence", "attempt", "data")
"""What may not change between versions: all but the version's own hash, and fields that came later."""

Records = list[dict[str, Any]]


@pytest.fixture
def open_job(stack: Stack, tmp_path: Path) -> Iterator[Callable[[str], LiveJob]]:
    """`open_job("state-3")`: a job whose topics carry this name."""
    opened = []

    def open_(name: str) -> LiveJob:
        rules = story.rules_in(tmp_path / "rules")
        topics = rf"kafka.events=past\.{name}\..*|{story.receipts_of(name)}"
        opened.append(LiveJob(tmp_path / "job", stack.settings.kafka, rules, [topics], root="past", name=name))
        create_topics(stack.settings.kafka, [story.receipts_of(name)], PARTITIONS)
        return opened[-1]

    yield open_
    for job in opened:
        job.close()


def settled(job: LiveJob, count: int) -> Records:
    found = eventually(job.decisions, lambda found: len(found) >= count)
    facts = [{field: record[field] for field in FIELDS if field in record} for record in found]
    return sorted(facts, key=lambda one: (one["at"], one["activity"], one["user_id"]))


def kept(version: str, name: str) -> Records:
    return msgspec.json.decode((GOLDEN / version / name).read_bytes())


@pytest.mark.parametrize("version", VERSIONS)
def test_it_resumes(open_job: Callable[[str], LiveJob], version: str) -> None:
    job = open_job(version)
    before, after = kept(version, "before.json"), kept(version, "after.json")
    story.before(job)
    story.receipts(job, before)
    job.start("--from", str(GOLDEN / version / "savepoint")).until_running()
    story.after(job)
    assert settled(job, len(after)) == after
    eventually(job.counters, lambda counted: counted["engine.duplicate"] == 1)
    assert job.restarts() == 0


@pytest.mark.skipif(not NEW, reason="KAIROS_GOLDEN=state-N writes a new one")
def test_write(open_job: Callable[[str], LiveJob]) -> None:
    job = open_job(str(NEW))
    job.start().until_running()
    story.before(job)
    before = settled(job, story.DECIDED_BEFORE)
    story.receipts(job, before)
    done = job.checkpoints()
    eventually(job.checkpoints, lambda count: count > done + 1)
    assert job.process is not None
    assert job.process.terminate() == 0
    savepoint = job.process.said().partition("savepoint: ")[2].split()[0]
    job.start("--from", savepoint).until_running()
    story.after(job)
    found = settled(job, len(before) + story.DECIDED_AFTER)
    folder = GOLDEN / str(NEW)
    shutil.copytree(savepoint.removeprefix("file:"), folder / "savepoint")
    for name, records in (("before", before), ("after", [one for one in found if one not in before])):
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(records), indent=1) + b"\n")
