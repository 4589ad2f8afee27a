"""`variants: {choose: best}`: even at first, then as learned, and always a share that explores."""

from __future__ import annotations

from collections import Counter

import pytest

from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.load import load
from kairos.engine.rule.model import Best, RuleSet
from kairos.engine.rule.release import Release, activity_version, decode, encode

WELCOME = """
activity: welcome
state: live
trigger: {event: signup}
variants:
  choose: best
  explore: 20%
  prior: {rate: 3%, users: 100}
  of:
    - {name: short, send: [{channel: console}]}
    - {name: long, send: [{channel: console}]}
goal: {event: purchase, within: 7d}
"""


def rules(numbers: str = "") -> RuleSet:
    files = {"activities/all/welcome.yaml": WELCOME.encode()}
    loaded = load(files | ({"numbers.yaml": numbers.encode()} if numbers else {}))
    assert loaded.rules is not None
    return loaded.rules


def shares(found: RuleSet) -> dict[str, float]:
    return {variant.name: variant.weight for variant in found.activities["welcome"].variants}


def test_nothing_learned_is_an_even_split() -> None:
    assert shares(rules()) == {"short": 0.5, "long": 0.5}
    assert rules().best == {"welcome": Best(0.2, 0.03, 100)}


def test_the_better_one_gets_more_and_the_other_still_its_share_of_exploring() -> None:
    assert shares(rules("variants: {welcome: {short: 0.9, long: 0.1}}")) == pytest.approx({"short": 0.82, "long": 0.18})


def test_what_was_learned_of_other_variants_is_not_used() -> None:
    assert shares(rules("variants: {welcome: {short: 0.9, tall: 0.1}}")) == {"short": 0.5, "long": 0.5}


def test_users_are_spread_by_the_weights_and_stay_where_they_are() -> None:
    found = rules("variants: {welcome: {short: 0.9, long: 0.1}}")
    welcome = compile_release(Release(1, found), max_runs=10).activities["welcome"]
    chosen = {user: welcome.variant_of(user) for user in (f"u{n}" for n in range(5_000))}
    counts = Counter(variant.name for variant in chosen.values() if variant)
    assert counts["short"] / 5_000 == pytest.approx(0.82, abs=0.02)
    assert all(welcome.variant_of(user) is variant for user, variant in chosen.items())


def test_other_weights_are_another_version_and_the_same_weights_are_not() -> None:
    even, learned = rules(), rules("variants: {welcome: {short: 0.9, long: 0.1}}")
    again = rules("variants: {welcome: {long: 0.1, short: 0.9}}\nuplift: {welcome: 0.01}")
    versions = [activity_version(found.activities["welcome"]) for found in (even, learned, again)]
    assert versions[0] != versions[1] == versions[2]
    assert again.uplift == {"welcome": 0.01}


def test_a_release_keeps_what_is_learned() -> None:
    release = Release(3, rules("variants: {welcome: {short: 0.9, long: 0.1}}\nuplift: {welcome: -0.02}"))
    assert decode(encode(release)) == release
