"""In a rollout a share of users has the new version, and nobody else notices."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.decision import Record, share_of
from kairos.engine.rule.model import Activity
from tests.properties.test_competing import decided, interrupted
from tests.properties.test_shadow import another
from tests.properties.twins.competing_job import CompetingJob
from tests.properties.twins.competing_world import World, world

SHARE = 0.4


def without_budgets(given: World) -> World:
    """A budget is shared by all users, those in a rollout too."""
    spent = {name: _unlimited(activity) for name, activity in given.rules.activities.items()}
    return replace(given, rules=msgspec.structs.replace(given.rules, activities=spent))


def _unlimited(activity: Activity) -> Activity:
    return msgspec.structs.replace(activity, state="live", limits=msgspec.structs.replace(activity.limits, budget=None))


def changed(given: World, version: Activity, before: Activity | None = None) -> World:
    """With this version in the place of the old one; for a share, where `before` says what the others have."""
    activities = {**given.rules.activities, version.name: version}
    rules = msgspec.structs.replace(given.rules, activities=activities)
    return replace(given, rules=rules, before={version.name: before} if before is not None else {})


def of(records: Iterable[Record], name: str, inside: bool) -> list[Record]:
    mine = [one for one in records if (share_of(one.user_id, f"{name}/rollout") < SHARE) is inside]
    return [msgspec.structs.replace(one, rollout=msgspec.UNSET) for one in mine]


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), users=st.integers(2, 10), activities=st.integers(2, 6))
def test_outside_it_is_as_before_and_inside_as_afterwards(seed: int, users: int, activities: int) -> None:
    given, chance = without_budgets(world(seed, users, activities, events=10 * users)), random.Random(seed)
    old = given.rules.activities[chance.choice(sorted(given.rules.activities))]
    new = _unlimited(another(old, chance))
    rolled = changed(given, msgspec.structs.replace(new, rollout=SHARE), old)
    before, after, now = (
        CompetingJob(each, tasks=1).run().outside.decisions for each in (given, changed(given, new), rolled)
    )
    assert decided(of(now, old.name, inside=False)) == decided(of(before, old.name, inside=False))
    assert decided(of(now, old.name, inside=True)) == decided(of(after, old.name, inside=True))
    told = {
        (one.activity == old.name and share_of(one.user_id, f"{old.name}/rollout") < SHARE)
        for one in now
        if one.rollout
    }
    assert told <= {True}
    assert decided(interrupted(rolled, 0.4, 0.7, 2, 1, seed).outside.decisions) == decided(now)
