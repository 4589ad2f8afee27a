"""What a job of competing activities decides is clean, with late events and recalls, or with a restart.

Not with both: an event that was late in the first life need not be late in the second, which then decides otherwise.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.properties.twins.competing_job import CompetingJob, Outside
from tests.properties.twins.competing_world import world
from tests.unit.audit.live import OUTCOMES
from tests.unit.audit.story import Story, examined, found


def interrupted() -> Outside:
    """A checkpoint, a crash a little later, and another number of tasks: what was decided in between is repeated."""
    given = world(5, users=40, activities=20, events=800)
    first, last = given.arrivals[0][0], given.arrivals[-1][0]
    job = CompetingJob(given, tasks=2).run(until=first + (last - first) // 3)
    checkpoint = job.checkpoint()
    job.run(until=first + (last - first) // 2)
    job.restore(checkpoint, tasks=1)
    return job.run().outside


def late() -> Outside:
    return CompetingJob(world(5, users=40, activities=20, events=800, late=0.3), tasks=2).run().outside


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
def restarted() -> Story:
    return written_down(interrupted())


@pytest.fixture(scope="module")
def disturbed() -> Story:
    return written_down(late())


def test_after_a_restart_it_is_clean(restarted: Story, tmp_path: Path) -> None:
    audited = restarted.audit(tmp_path)
    assert found(audited) == {}
    assert examined(audited, "caps")["sends under caps"] > 100
    assert examined(audited, "budgets")["activities with a budget"] > 3
    assert examined(audited, "quiet_hours")["calls"] > 100
    assert examined(audited, "repeats")["repetitions"] > 10


def test_with_late_events_it_is_clean(disturbed: Story, tmp_path: Path) -> None:
    audited = disturbed.audit(tmp_path)
    assert found(audited) == {}
    states = examined(audited, "explained")
    assert all(states[state] for state in ("sent", "unknown", "failed", "expired", "released", "recalled"))


@pytest.mark.parametrize("state", ["failed", "expired", "released"])
def test_had_what_came_to_nothing_gone_limits_would_be_overshot(state: str, disturbed: Story, tmp_path: Path) -> None:
    """So the limits are really used up in this world, and what gives back counts."""
    rows = [row | {"state": "sent"} if row["state"] == state else row for row in disturbed.rows]
    others = {"calls": disturbed.calls, "profiles": disturbed.profiles}
    forged = Story(disturbed.rule_set, disturbed.decisions, rows=rows, **others)
    assert {"caps", "budgets"} & found(forged.audit(tmp_path)).keys()
