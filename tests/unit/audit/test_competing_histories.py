"""What a job of competing activities decided, with late events, recalls and a restart, is clean; forged it is not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kairos.apps.audit.audit import Audit
from tests.properties.competing_job import CompetingJob, Outside
from tests.properties.competing_world import world
from tests.unit.audit.live import OUTCOMES
from tests.unit.audit.story import Story, examined, found


def interrupted(seed: int) -> Outside:
    """A checkpoint, a crash a little later, and another number of tasks: what was decided in between is repeated."""
    given = world(seed, users=40, activities=20, events=800, late=0.2)
    first, last = given.arrivals[0][0], given.arrivals[-1][0]
    job = CompetingJob(given, tasks=2).run(until=first + (last - first) // 3)
    checkpoint = job.checkpoint()
    job.run(until=first + (last - first) // 2)
    job.restore(checkpoint, tasks=1)
    return job.run().outside


def written_down(outside: Outside) -> Story:
    """Each message goes at the time of its decision; one of which nothing was heard any more may have."""
    story = Story(outside.world.rules, profiles=dict(outside.world.profiles))
    for record in outside.decisions:
        story.decisions.append(msgspec.to_builtins(record))
        key = (record.activity, record.user_id, record.occurrence, record.attempt or 1)
        if record.outcome == "send":
            _write(story, outside, key)
    return story


def _named(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in ("activity", "user_id", "occurrence", "attempt"))


def _write(story: Story, outside: Outside, key: tuple[str, str, str, int]) -> None:
    if any(_named(row) == key for row in story.rows):
        return  # a repetition
    state = (outside.world.fate(key)[1] or "unknown").split()[0]
    if outside.was_recalled(key):
        state = "recalled"
    story.row(state, *OUTCOMES.get(state, ()))
    for call in story.calls[len(story.calls) - len(OUTCOMES.get(state, ())) :]:
        call["started_at"] = outside.ledger[key].at


@pytest.fixture(scope="module")
def story() -> Story:
    return written_down(interrupted(5))


@pytest.fixture(scope="module")
def audited(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return story.audit(tmp_path_factory.mktemp("clean"))


def test_it_is_clean(audited: Audit) -> None:
    assert found(audited) == {}


def test_there_was_much_to_look_at(audited: Audit) -> None:
    assert examined(audited, "caps")["sends under caps"] > 100
    assert examined(audited, "budgets")["activities with a budget"] > 3
    assert examined(audited, "quiet_hours")["calls"] > 100
    assert examined(audited, "repeats")["repetitions"] > 10
    states = examined(audited, "explained")
    assert all(states[state] for state in ("sent", "unknown", "failed", "expired", "released", "recalled"))


@pytest.mark.parametrize("state", ["failed", "expired", "released"])
def test_had_what_came_to_nothing_gone_limits_would_be_overshot(state: str, story: Story, tmp_path: Path) -> None:
    """So the limits are really used up in this world, and what gives back counts."""
    rows = [row | {"state": "sent"} if row["state"] == state else row for row in story.rows]
    forged = Story(story.rule_set, story.decisions, rows=rows, calls=story.calls, profiles=story.profiles)
    assert {"caps", "budgets"} & found(forged.audit(tmp_path)).keys()
