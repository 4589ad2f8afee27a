"""Crowds: members, rules, sets of sets, and sticky samples."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.engine.crowd.membership import SNAPSHOTS
from kairos.engine.decision import share_of
from kairos.engine.rule.reads.needs import needs_of
from tests.engine_kit import decisions, events, program_of, rules, run

TEXT = "activity: a\ntrigger: {event: order}\naudience: {in: [asked]}\n"
CROWDS = """
list: {members: [u1, u2]}
stored: {members: redis}
many: {where: metric.orders >= 2}
young: {where: profile.age < 30}
"""


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        ("{union: [list]}", "u1 u2"),
        ("{union: [list, stored]}", "u1 u2 u3"),
        ("{intersect: [list, stored]}", "u2"),
        ("{difference: [list, stored]}", "u1"),
        ("{difference: [list, stored, {members: [u1]}]}", ""),
        ("{union: [many, young]}", "u1 u3"),
        ("{intersect: [{union: [list, young]}, {difference: [stored, {where: profile.age >= 30}]}]}", "u3"),
        ("{where: 'in_crowd(\"stored\") and profile.age >= 30'}", "u2"),
        ("{sample: 100%, of: list}", "u1 u2"),
        ("{sample: 0%}", ""),
    ],
)
def test_membership(asked: str, members: str) -> None:
    rule_set = rules(TEXT, crowds=f"{CROWDS}asked: {asked}\n", metrics="orders: {count: order}\n")
    profiles = {"u1": {"age": 40}, "u2": {"age": 40, "crowds": ["stored"]}, "u3": {"age": 20, "crowds": ["stored"]}}
    given = events("0s order", "1s order", "1s order user=u2", "1s order user=u3", "1s order user=u4")
    sent = {line.split()[-1] for line in decisions(rule_set, given, profiles, users=True) if "1s a match" in line}
    assert sent == set(members.split())


def test_a_sample_is_a_sticky_share_by_its_own_name() -> None:
    users = [f"u{n}" for n in range(500)]
    text = TEXT + "on_change: keep\n"
    crowds = "asked: {union: [tenth]}\ntenth: {sample: 10%}\n"
    matched = {
        r.user_id
        for r in run(rules(text, crowds=crowds), events(*(f"0s order user={u}" for u in users)))
        if r.outcome == "match"
    }
    assert matched == {user for user in users if share_of(user, "tenth") < 0.1}
    assert 20 < len(matched) < 90


@pytest.mark.parametrize("crowds", [None, "stored", 7, {"stored": True}])
def test_a_profile_that_holds_no_list_is_in_no_crowd(crowds: object) -> None:
    rule_set = rules(TEXT.replace("asked", "stored"), crowds=CROWDS, metrics="orders: {count: order}\n")
    assert decisions(rule_set, events("0s order"), {"u1": {"crowds": crowds}}) == ["0s a suppress audience"]


KEPT = """
vip: {where: "count(purchase, 90d) >= 2", refresh: 1d}
big: {limit: 10, of: vip, by: "total(purchase.amount)", refresh: 1d}
staff: {members: kept}
young: {where: profile.age < 30}
asked: {union: [young, {difference: [vip, staff]}]}
other: {members: kept}
"""


@pytest.mark.parametrize(
    ("profile", "outcome", "crowds"),
    [
        ({"crowds": ["vip"], SNAPSHOTS: {"vip": 41, "staff": 7, "other": 2}}, "match", {"vip": 41, "staff": 7}),
        ({"crowds": ["vip", "staff"], SNAPSHOTS: {"vip": 41, "staff": 7}}, "suppress", {"vip": 41, "staff": 7}),
        ({SNAPSHOTS: {"vip": 41, "staff": 7}}, "suppress", {"vip": 41}),  # staff need not be asked
        ({"age": 20, "crowds": ["vip"], SNAPSHOTS: {"vip": 41}}, "match", msgspec.UNSET),  # nor vip
        ({"crowds": ["vip"]}, "match", msgspec.UNSET),  # nobody knows of a snapshot
    ],
)
def test_a_decision_names_the_snapshots_that_it_asked(profile: dict[str, Any], outcome: str, crowds: object) -> None:
    (record,) = run(rules(TEXT, crowds=KEPT), events("0s order"), {"u1": profile})
    assert (record.outcome, record.crowds) == (outcome, crowds)


def test_only_kept_crowds_that_are_reached_are_fetched() -> None:
    needs = needs_of(program_of(rules(TEXT, crowds=KEPT)))
    assert (needs.kept, needs.crowds) == ({"vip", "staff"}, {"staff"})
    assert needs_of(program_of(rules(TEXT.replace("asked", "big"), crowds=KEPT))).kept == {"big"}
