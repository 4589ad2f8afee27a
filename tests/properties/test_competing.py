"""Competing activities: the same decisions however the job is spread or interrupted, and nothing overshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.decision import Record
from tests.properties.twins.competing_job import CompetingJob, Outside
from tests.properties.twins.competing_world import Key, World, world
from tests.properties.twins.overshoot import committed, complaints


def decided(records: Iterable[Record]) -> dict[str, str]:
    """Key -> record. A record that repeats is the same each time."""
    found: dict[str, str] = {}
    for record in records:
        told = msgspec.json.encode(record).decode()
        assert found.setdefault(str(record.key), told) == told
    return found


def interrupted(given: World, saved: float, crashed: float, before: int, after: int, seed: int) -> CompetingJob:
    """Saved and crashed at these parts of the way; goes on from the checkpoint with another number of tasks."""
    first, last = given.arrivals[0][0], given.arrivals[-1][0]
    job = CompetingJob(given, before, seed).run(until=first + int((last - first) * saved))
    checkpoint = job.checkpoint()
    job.run(until=max(job.clock, first + int((last - first) * crashed)))
    job.restore(checkpoint, after)
    return job.run()


SPREAD = settings(max_examples=25)


@SPREAD
@given(seed=st.integers(0, 2**32), users=st.integers(1, 12), activities=st.integers(2, 10), data=st.data())
def test_the_same_decisions_however_it_is_spread_or_interrupted(
    seed: int, users: int, activities: int, data: st.DataObject
) -> None:
    given = world(seed, users, activities, events=10 * users)
    alone = CompetingJob(given, tasks=1).run()
    spread = CompetingJob(given, tasks=2, seed=data.draw(st.integers(0, 99))).run()
    saved = data.draw(st.floats(0, 1))
    restored = interrupted(given, saved, data.draw(st.floats(saved, 1.2)), 2, data.draw(st.integers(1, 3)), seed)
    wanted = decided(alone.outside.decisions)
    assert decided(spread.outside.decisions) == wanted
    assert decided(restored.outside.decisions) == wanted
    assert restored.outside.ledger == spread.outside.ledger == alone.outside.ledger
    assert complaints(alone.outside) == []


@SPREAD
@given(seed=st.integers(0, 2**32), users=st.integers(1, 12), activities=st.integers(2, 10))
def test_with_late_events_nothing_is_overshot_and_only_what_may_have_gone_is_regretted(
    seed: int, users: int, activities: int
) -> None:
    outside = CompetingJob(world(seed, users, activities, events=12 * users, late=0.3), tasks=1).run().outside
    assert complaints(outside) == []
    keys = [record.key for record in outside.decisions]
    assert len(keys) == len(set(keys))
    contacted = {key[:3] for key in outside.ledger}
    gone = {key[:3] for key in outside.ledger if may_have_gone(outside, key)}
    for record in outside.decisions:
        if record.outcome == "regret" and record.key[:3] in contacted:
            assert record.key[:3] in gone


def may_have_gone(outside: Outside, key: Key) -> bool:
    return not outside.was_recalled(key) and outside.world.fate(key)[1] not in ("failed", "expired", "released")


def test_late_events_do_recall_and_do_regret() -> None:
    """What the property above is about comes about."""
    outside = CompetingJob(world(0, users=80, activities=20, events=1_600, late=0.3), tasks=1).run().outside
    regretted = {record.key[:3] for record in outside.decisions if record.outcome == "regret"}
    assert regretted & {key[:3] for key in outside.ledger}
    assert {outside.was_recalled(key) for key in outside.recalls.keys() & outside.ledger.keys()} == {True, False}


def test_the_slow_counter_sees_what_is_one_too_many() -> None:
    """Each message once more, as another occurrence of the same time: what was used up is overshot."""
    outside = CompetingJob(world(20, users=60, activities=20, events=600), tasks=1).run().outside
    assert complaints(outside) == []
    for (activity, user, occurrence, attempt), delivery in list(outside.ledger.items()):
        again = msgspec.structs.replace(delivery, occurrence=f"{occurrence}+")
        outside.ledger[activity, user, again.occurrence, attempt] = again
    said = " ".join(complaints(outside))
    assert all(name in said for name in ("day: ", "often: ", "texts: ", "sends of"))


@pytest.mark.slow
def test_four_hundred_users_and_twenty_activities() -> None:
    given = world(20, users=400, activities=20, events=2_800)
    alone = CompetingJob(given, tasks=1).run().outside
    wanted = decided(alone.decisions)
    assert decided(CompetingJob(given, tasks=2, seed=1).run().outside.decisions) == wanted
    assert decided(interrupted(given, 0.5, 0.6, 2, 1, seed=2).outside.decisions) == wanted
    assert complaints(alone) == []
    outcomes = Counter(record.outcome for record in alone.decisions)
    reasons = {record.reason for record in alone.decisions}
    assert {"send", "hold", "suppress", "control", "goal"} <= outcomes.keys()
    assert {"budget", "cap:day", "cap:texts", "cap:often", "quiet_hours", "once", "cancelled", "expired"} <= reasons
    assert any(record.attempt for record in alone.decisions)
    assert any(map(alone.was_recalled, alone.ledger))
    assert len(committed(alone)) > 400
