"""Comparisons of random rules over random worlds: they add up, they mirror, and a slow count says the same."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from kairos.engine.compare.difference import CLASSES
from kairos.engine.compare.report import Comparison, Row, compare, reshaped_activities
from kairos.engine.compare.side import Side
from kairos.engine.compare.verdict import verdicts
from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.policy.spec import Cap, CapRule
from kairos.engine.rule.model import RuleSet, Send
from tests.properties.twins.competing_world import world

WORLDS = 1_000
MIRRORED = {"added": "removed", "removed": "added", "sends_a": "sends_b", "sends_b": "sends_a", "users_a": "users_b"}


def decided(rules: RuleSet, events: Sequence[Event], profiles: Mapping[str, Mapping[str, Any]]) -> list[Record]:
    return list(Simulation(rules, profiles).run(events))


def changed(rules: RuleSet, chance: random.Random) -> RuleSet:
    """The same rules but for a few things that people change."""
    policy, activities = rules.policy, dict(rules.activities)
    for _ in range(chance.randint(0, 3)):
        name = chance.choice(sorted(activities)) if activities else ""
        match chance.randrange(7):
            case 0:
                cap = chance.choice(sorted(policy.caps))
                slots = (CapRule(chance.randint(1, 4), chance.choice((60_000, 86_400_000))),)
                new = Cap(cap, slots, chance.choice((None, 240_000)))
                policy = msgspec.structs.replace(policy, caps={**policy.caps, cap: new})
            case 1:
                policy = msgspec.structs.replace(policy, quiet_hours=None)
            case 2:
                activities.pop(name, None)
            case 3 if name:
                activities[name] = msgspec.structs.replace(activities[name], priority=chance.randrange(100))
            case 4 if name:
                activities[name] = msgspec.structs.replace(activities[name], send=(Send("email", "t"),))
            case 5 if name and activities[name].pattern.within:
                longer = msgspec.structs.replace(
                    activities[name].pattern, within=(activities[name].pattern.within or 0) * 2
                )
                activities[name] = msgspec.structs.replace(activities[name], pattern=longer)
            case 6 if name:
                activities[name] = msgspec.structs.replace(activities[name], data={"n": "1"})
    return msgspec.structs.replace(rules, policy=policy, activities=activities)


def slowly(a: list[Record], b: list[Record], only: set[str]) -> dict[str, Counter[str]]:
    """Classes of the activities in `only`, read off the contract with no thought of speed. Texts are alike here."""

    def of(records: list[Record], key: tuple[str, str, str, int]) -> Record | None:
        mine = [r for r in records if (r.activity, r.user_id, r.occurrence, r.attempt or 1) == key]
        return next((r for r in mine if r.outcome != "hold"), mine[0] if mine else None)

    keys = {(r.activity, r.user_id, r.occurrence, r.attempt or 1) for r in [*a, *b] if r.activity in only}
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key in keys:
        one, two = of(a, key), of(b, key)
        in_a = one is not None and one.outcome in ("send", "match")
        in_b = two is not None and two.outcome in ("send", "match")
        kind = "same"
        if in_a and not in_b:
            kind = "removed"
        elif in_b and not in_a:
            kind = "added"
        elif one is None or two is None:
            continue
        elif (one.outcome, one.reason) != (two.outcome, two.reason):
            kind = "re_reasoned"
        elif one.at != two.at:
            kind = "moved"
        elif one.channel != two.channel:
            kind = "rerouted"
        elif (one.template, one.variant, one.data) != (two.template, two.variant, two.data):
            kind = "reworded"
        counted[key[0]][kind] += 1
    return counted


def classes(row: Row) -> Counter[str]:
    return Counter({kind: number for kind in CLASSES if (number := getattr(row, kind))})


def mirrored(comparison: Comparison) -> list[dict[str, Any]]:
    back = {**MIRRORED, "users_b": "users_a"}
    return [{back.get(k, k): v for k, v in msgspec.to_builtins(row).items()} for row in comparison.activities]


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return Counter()


@pytest.mark.parametrize("first", range(0, WORLDS, 100))
def test_what_differs_adds_up_and_mirrors(first: int, seen: Counter[str]) -> None:
    for seed in range(first, first + 100):
        chance = random.Random(seed)
        given = world(seed, users=3, activities=chance.randint(1, 5), events=40)
        events = [event for _, event in given.arrivals]
        other = changed(given.rules, chance)
        a, b = decided(given.rules, events, given.profiles), decided(other, events, given.profiles)
        sides = Side(given.rules, verdicts(a)), Side(other, verdicts(b))
        there = compare(*sides)
        back = compare(*reversed(sides))
        assert mirrored(back) == [msgspec.to_builtins(row) for row in there.activities]
        told = Counter((one.activity, one.kind) for one in there.differences)
        alike = (given.rules.activities.keys() | other.activities.keys()) - reshaped_activities(given.rules, other)
        twin = slowly(a, b, set(alike))
        for row in there.activities:
            found = classes(row)
            assert Counter({kind: told[row.activity, kind] for kind in found if kind != "same"}) == found - Counter(
                same=found["same"]
            )
            assert row.sends_a <= row.of_a()
            assert row.sends_b <= row.of_b()
            if row.activity in alike:
                assert found == twin[row.activity]
            seen.update(found)
        same = compare(sides[0], sides[0])
        assert same.differences == []


def test_every_class_came_about(seen: Counter[str]) -> None:
    if not seen:
        pytest.skip("only after the test above")
    assert seen.keys() == set(CLASSES)
