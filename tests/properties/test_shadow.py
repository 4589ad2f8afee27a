"""A shadow decides what its version would have decided, and leaves everything else as it is."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.model import Activity, Send
from kairos.engine.user.state import UserState
from tests.engine_kit import HOUR, engine_of
from tests.properties.test_competing import decided, interrupted
from tests.properties.twins.competing_job import CompetingJob
from tests.properties.twins.competing_world import World, world
from tests.properties.twins.engine_world import LATENESS

FEW = settings(max_examples=25)


def another(activity: Activity, chance: random.Random) -> Activity:
    """A version of it as somebody might try it."""
    match chance.randrange(5):
        case 0 if activity.pattern.within:
            pattern = msgspec.structs.replace(activity.pattern, within=activity.pattern.within // 2)
            return msgspec.structs.replace(activity, pattern=pattern)
        case 1:
            return msgspec.structs.replace(activity, send=(Send("email", "t"), Send("sms", "t", after=60_000)))
        case 2:
            limits = msgspec.structs.replace(activity.limits, caps=("texts",), counts_toward=("texts",), budget=2)
            return msgspec.structs.replace(activity, limits=limits)
        case 3:
            return msgspec.structs.replace(activity, priority=chance.randrange(100))
    return activity


def tried(given: World, chance: random.Random) -> World:
    """The same world, with versions of some activities on trial."""
    names = chance.sample(sorted(given.rules.activities), chance.randint(1, 2))
    return replace(given, shadows={name: another(given.rules.activities[name], chance) for name in names})


def live(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if not record.shadow]


@FEW
@given(seed=st.integers(0, 2**32), users=st.integers(1, 8), activities=st.integers(2, 8))
def test_nothing_else_changes_in_a_job_that_sends(seed: int, users: int, activities: int) -> None:
    given = world(seed, users, activities, events=10 * users)
    on_trial = tried(given, random.Random(seed))
    without, beside = CompetingJob(given, tasks=1).run().outside, CompetingJob(on_trial, tasks=2).run().outside
    assert decided(live(beside.decisions)) == decided(without.decisions)
    assert beside.ledger == without.ledger
    assert {record.activity for record in beside.decisions if record.shadow} <= on_trial.shadows.keys()
    restored = interrupted(on_trial, 0.4, 0.7, 2, 1, seed).outside
    assert decided(restored.decisions) == decided(beside.decisions)


def arrived(given: World) -> list[bytes]:
    """What is decided as events arrive, however late, by an engine whose users are all asked at the same times."""
    engine, users = engine_of(given.rules, given.profiles, shadows=given.shadows), dict[str, UserState]()
    effects: list[Effect] = []
    for at, event in given.arrivals:
        state = users.setdefault(event.user_id, UserState())
        effects += engine.on_event(event.user_id, state, event, at - LATENESS - 1)
    for user in sorted(users):
        effects += engine.on_time(user, users[user], given.arrivals[-1][0] + HOUR)
    records = [effect.record if isinstance(effect, Candidate) else effect for effect in effects]
    return [msgspec.json.encode(one) for one in records if not isinstance(one, Record) or not one.shadow]


@FEW
@given(seed=st.integers(0, 2**32), users=st.integers(1, 5), activities=st.integers(2, 8))
def test_nothing_else_changes_however_late_events_come(seed: int, users: int, activities: int) -> None:
    given = world(seed, users, activities, events=15 * users, late=0.4)
    assert arrived(tried(given, random.Random(seed))) == arrived(given)


def told(records: Iterable[Record], activity: str) -> list[Record]:
    return [msgspec.structs.replace(one, shadow=msgspec.UNSET) for one in records if one.activity == activity]


def played(given: World, activities: Mapping[str, Activity], shadows: Mapping[str, Activity]) -> list[Record]:
    rules = msgspec.structs.replace(given.rules, activities=dict(activities))
    events: list[Event] = [event for _, event in given.arrivals]
    return list(Simulation(rules, given.profiles, shadows=shadows).run(events))


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return Counter()


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_it_decides_what_its_version_decides(first: int, seen: Counter[str]) -> None:
    """Where the version, in the place of its twin, would have displaced nothing of the others: else their real sends
    count for a shadow, and the two worlds are apart."""
    for seed in range(first, first + 40):
        chance = random.Random(seed)
        given = world(seed, users=3, activities=chance.randint(1, 5), events=40)
        live_rules = given.rules.activities
        name = chance.choice(sorted(live_rules))
        version = another(live_rules[name], chance)
        beside = played(given, live_rules, {name: version})
        instead = played(given, {**live_rules, name: version}, {})
        others = [[one for one in live(run) if one.activity != name] for run in (beside, instead)]
        if others[0] != others[1]:
            seen["displaced"] += 1
            continue
        found = told((record for record in beside if record.shadow), name)
        wanted = told(instead, name)
        assert sorted(found, key=_place) == sorted(wanted, key=_place)
        seen["same"] += 1
        seen.update(record.outcome for record in found)


def _place(record: Record) -> tuple[object, ...]:
    return (record.at, *record.key)


def test_all_of_it_came_about(seen: Counter[str]) -> None:
    if not seen:
        pytest.skip("only after the test above")
    assert seen["same"] > 2 * seen["displaced"] > 0
    assert {"send", "hold", "suppress", "goal"} <= seen.keys(), seen
