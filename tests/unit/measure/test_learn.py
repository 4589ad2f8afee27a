"""Weights of variants: the chance of each to be the best, found again by drawing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.measure.learn import Prior, Seen, shrunk, weights

SEEN = st.integers(0, 500).flatmap(lambda users: st.builds(Seen, st.just(users), st.integers(0, users)))


def drawn(seen: dict[str, Seen], draws: int = 20_000) -> dict[str, float]:
    """Thompson sampling as its paper has it."""
    chance, wins = random.Random(1), dict.fromkeys(seen, 0)
    for _ in range(draws):
        rates = {name: chance.betavariate(1 + one.reached, 1 + one.users - one.reached) for name, one in seen.items()}
        wins[max(rates, key=rates.__getitem__)] += 1
    return {name: count / draws for name, count in wins.items()}


@pytest.mark.parametrize(
    "seen",
    [
        {"a": Seen(100, 10), "b": Seen(100, 14)},
        {"a": Seen(40, 3), "b": Seen(50, 5), "c": Seen(5, 1)},
        {"a": Seen(0, 0), "b": Seen(1_000, 480)},
    ],
)
def test_what_is_computed_is_what_would_be_drawn(seen: dict[str, Seen]) -> None:
    assert weights(seen) == pytest.approx(drawn(seen), abs=0.015)


def test_nothing_known_is_an_even_split_and_much_known_is_nearly_none() -> None:
    assert weights({"a": Seen(0, 0), "b": Seen(0, 0)}) == {"a": 0.5, "b": 0.5}
    assert weights({"a": Seen(9_000, 900), "b": Seen(9_000, 450)}) == {"a": 1.0, "b": 0.01}


def test_a_prior_holds_back_a_lucky_start() -> None:
    lucky = {"a": Seen(10, 3), "b": Seen(10, 0)}
    assert weights(lucky, Prior(0.05, 400))["a"] < weights(lucky)["a"]
    assert weights(lucky, Prior(0.0, 10))["a"] > 0.5


@given(st.dictionaries(st.sampled_from("abcd"), SEEN, min_size=1))
def test_every_variant_has_a_weight_and_together_they_are_one(seen: dict[str, Seen]) -> None:
    found = weights(seen)
    assert found.keys() == seen.keys()
    assert all(weight >= 0.01 for weight in found.values())
    assert sum(found.values()) == pytest.approx(1, abs=0.04)


def test_an_effect_counts_half_after_two_thousand_users() -> None:
    assert shrunk(0.02, 2_000) == pytest.approx(0.01)
    assert shrunk(0.02, 0, believed=0.005) == pytest.approx(0.005)
