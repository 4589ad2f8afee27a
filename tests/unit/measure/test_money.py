"""Money: attributed beside incremental, and what makes the two differ."""

from __future__ import annotations

import pytest

from kairos.engine.measure.money import arms_of, money_row
from kairos.engine.measure.outcome import MoneyOutcome, MoneyTrial

SHARES = {"control": 0.1, "treated": 0.9}


def trial(bought_control: int, bought_treated: int, coupons: float = 10.0) -> MoneyTrial:
    """10 control users, 90 treated; a purchase is 100 at a margin of 30 %, an SMS .04, each buyer redeems a coupon."""
    return MoneyTrial(
        [
            MoneyOutcome("control", 100, 30, coupons, 1, bought_control),
            MoneyOutcome("control", 0, 0, 0, 0, 10 - bought_control),
            MoneyOutcome("treated", 100, 30, 0.04 + coupons, 1, bought_treated),
            MoneyOutcome("treated", 0, 0, 0.04, 0, 90 - bought_treated),
        ],
        SHARES,
    )


def test_a_coupon_that_most_would_not_have_needed() -> None:
    row = money_row("a", [trial(5, 54)])
    assert row["value"] == 5_400
    assert row["margin"] == 1_620
    assert row["cost"] == pytest.approx(540 + 3.6)
    assert row["attributed_roi"] == pytest.approx((1_620 - 543.6) / 543.6)
    # 45 of the 54 would have bought anyway: 9 more purchases, at 30 each.
    assert row["incremental_value"] == pytest.approx(9 * 30 - 543.6)
    assert row["iroi"] == pytest.approx((9 * 30 - 543.6) / 543.6)
    assert row["cost_per_incremental"] == pytest.approx(543.6 / 9)
    low, high = row["interval"]
    assert low < row["incremental_value"] < high


def test_what_a_control_user_redeems_is_no_cost_of_the_activity() -> None:
    assert money_row("a", [trial(5, 54, coupons=10.0)])["incremental_value"] == pytest.approx(9 * 30 - 543.6)


def test_epochs_add_up() -> None:
    one, two = money_row("a", [trial(5, 54)]), money_row("a", [trial(5, 54), trial(5, 54)])
    for field in ("value", "margin", "cost", "incremental_value"):
        assert two[field] == pytest.approx(2 * one[field])
    assert two["iroi"] == pytest.approx(one["iroi"])
    narrower = [(row["interval"][1] - row["interval"][0]) / row["incremental_value"] for row in (two, one)]
    assert abs(narrower[0]) < abs(narrower[1])


def test_without_a_control_group_nothing_is_incremental() -> None:
    row = money_row("a", [MoneyTrial([MoneyOutcome("treated", 100, 30, 1, 1, 9)], None)])
    assert (row["value"], row["cost"]) == (900, 9)
    incremental = ("incremental_value", "interval", "iroi", "cost_per_incremental")
    assert [row[field] for field in incremental] == [None] * 4


def test_an_unsound_split_says_nothing_incremental() -> None:
    row = money_row("a", [trial(5, 54)._replace(shares={"control": 0.9, "treated": 0.1})])
    assert row["attributed_roi"] is not None
    assert row["incremental_value"] is None


def test_nothing_gained_has_no_price() -> None:
    row = money_row("a", [trial(6, 54)])
    assert row["cost_per_incremental"] is None
    assert row["iroi"] == pytest.approx(-1)


def test_each_variant_stands_against_the_same_control_group() -> None:
    outcomes = [
        MoneyOutcome("control", 100, 30, 0, 1, 20),
        MoneyOutcome("a", 100, 30, 1, 1, 40),
        MoneyOutcome("b", 200, 60, 1, 1, 40),
    ]
    parts = arms_of(MoneyTrial(outcomes, {"control": 0.2, "a": 0.4, "b": 0.4}))
    assert {arm: money_row("x", [part])["value"] for arm, part in parts.items()} == {"a": 4_000, "b": 8_000}
    assert money_row("x", [parts["b"]])["incremental_value"] == pytest.approx((59 - 30) * 40)
    assert parts["a"].shares == pytest.approx({"control": 1 / 3, "a": 2 / 3})
    assert arms_of(MoneyTrial(outcomes, None))["a"].shares is None
