"""Lift, split, CUPED, Holm: the numbers of the contract, and what is said where nothing can be said."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.measure.lift import lift_rows
from kairos.engine.measure.outcome import Outcome, Trial
from kairos.engine.measure.statistics.holm import holm
from kairos.engine.measure.statistics.interval import always_valid_half_width, around, fixed_half_width
from kairos.engine.measure.statistics.sample import sample_of
from kairos.engine.measure.statistics.split import srm_p

HALF = {"control": 0.5, "treated": 0.5}


def trial(*rows: tuple[str, float, int], **more: Any) -> Trial:
    """`rows`: (arm, value, how many users)."""
    shares = more.pop("shares", None)
    return Trial("a", 1, [Outcome(arm, value, 0, users) for arm, value, users in rows], shares, **more)


def worked(**more: Any) -> dict[str, Any]:
    """The contract's example: 60 of 2,000 against 1,330 of 38,000."""
    rows = ("control", 1, 60), ("control", 0, 1_940), ("treated", 1, 1_330), ("treated", 0, 36_670)
    (row,) = lift_rows(trial(*rows, shares={"control": 0.05, "treated": 0.95}, **more))
    return row


def test_the_worked_example_decided() -> None:
    row = worked()
    assert (row["n_control"], row["n_treated"]) == (2_000, 38_000)
    assert row["method"] == "fixed"
    assert row["difference"] == pytest.approx(0.005)
    assert row["interval"] == pytest.approx((-0.002705, 0.012705), abs=5e-7)
    assert row["relative"] == pytest.approx(1 / 6)
    assert row["status"] == "open"
    assert row["smallest_visible"] == pytest.approx(2.8 * math.sqrt(0.03 * 0.97 * (1 / 2_000 + 1 / 38_000)))


def test_the_worked_example_while_one_still_looks() -> None:
    control, treated = sample_of([(1, 0, 60), (0, 0, 1_940)], True), sample_of([(1, 0, 1_330), (0, 0, 36_670)], True)
    half = always_valid_half_width(math.sqrt(control.mean_variance + treated.mean_variance), 40_000, 5_000)
    assert around(0.005, half) == pytest.approx((-0.007621, 0.017621), abs=5e-7)
    assert (worked(decide_at=40_000)["method"], worked(decide_at=40_001)["method"]) == ("fixed", "always_valid")


def test_a_split_that_was_not_drawn_shows_no_effect() -> None:
    (row,) = lift_rows(trial(("control", 1, 300), ("treated", 0, 700), shares=HALF))
    assert row["status"] == "unsound"
    assert row["srm_p"] < 1e-9
    hidden = ("difference", "interval", "relative", "relative_interval", "p_fixed", "adjusted")
    assert [row[field] for field in hidden] == [None] * 6


def test_shares_are_of_what_remains_and_need_not_be_known() -> None:
    counts = {"control": 100, "treated": 900}
    assert srm_p(counts, {"control": 0.05, "treated": 0.45}) == pytest.approx(1.0)
    assert srm_p(counts, None) is None
    assert srm_p({}, HALF) is None


@pytest.mark.parametrize(
    "rows",
    [
        [("treated", 1, 50), ("treated", 0, 50)],
        [("control", 1, 1), ("treated", 1, 50), ("treated", 0, 50)],
        [("control", 0, 50), ("treated", 0, 50)],
    ],
    ids=["no control", "one user", "no spread"],
)
def test_where_nothing_can_be_told_nothing_is(rows: list[tuple[str, float, int]]) -> None:
    (row,) = lift_rows(trial(*rows))
    assert (row["status"], row["interval"], row["p_fixed"]) == ("too_few", None, None)


def test_an_effect_is_better_or_worse_only_where_its_interval_leaves_zero() -> None:
    few, many = ("control", 1, 300), ("treated", 1, 600)
    rest = ("control", 0, 9_700), ("treated", 0, 9_400)
    assert lift_rows(trial(few, many, *rest))[0]["status"] == "better"
    swapped = ("control", 1, 600), ("treated", 1, 300), ("control", 0, 9_400), ("treated", 0, 9_700)
    assert lift_rows(trial(*swapped))[0]["status"] == "worse"


def test_variants_one_row_each_and_all_together() -> None:
    rows = [("control", 1, 30), ("control", 0, 70), ("a", 1, 60), ("a", 0, 40), ("b", 1, 30), ("b", 0, 70)]
    shares = {"control": 1 / 3, "a": 1 / 3, "b": 1 / 3}
    (together,) = lift_rows(trial(*rows, shares=shares))
    assert (together["arm"], together["n_treated"], together["mean_treated"]) == ("treated", 200, 0.45)
    a, b = lift_rows(trial(*rows, shares=shares), by_variant=True)
    assert (a["arm"], b["arm"]) == ("a", "b")
    assert a["adjusted"]["holm_p"] == pytest.approx(2 * a["p_fixed"])
    assert b["adjusted"]["holm_p"] == b["p_fixed"] == 1.0


def test_variants_are_told_beside_each_other_without_a_control_group() -> None:
    rows = ("a", 1, 300), ("a", 0, 700), ("b", 1, 200), ("b", 0, 800)
    a, b = lift_rows(trial(*rows), by_variant=True)
    (won,), (lost,) = a["beside"], b["beside"]
    assert (a["status"], won["variant"], won["status"], lost["status"]) == ("too_few", "b", "better", "worse")
    assert won["difference"] == pytest.approx(0.1)
    assert lost["interval"] == pytest.approx((-won["interval"][1], -won["interval"][0]))
    as_control = [("control" if arm == "b" else arm, value, users) for arm, value, users in rows]
    (row,) = lift_rows(trial(*as_control))
    assert won["interval"] == row["interval"]
    assert won["smallest_visible"] == lost["smallest_visible"] == pytest.approx(2.8 * math.sqrt((0.21 + 0.16) / 1_000))


def test_of_several_pairs_each_has_to_be_surer() -> None:
    two = ("a", 1, 60), ("a", 0, 940), ("b", 1, 33), ("b", 0, 967)
    surer = lift_rows(trial(*two, ("c", 1, 33), ("c", 0, 967), decide_at=100), by_variant=True)[0]["beside"]
    (alone,) = lift_rows(trial(*two, decide_at=100), by_variant=True)[0]["beside"]
    assert [told["variant"] for told in surer] == ["b", "c"]
    assert surer[0]["p_fixed"] == alone["p_fixed"]
    half = (alone["interval"][1] - alone["interval"][0]) / 2
    wider = (surer[0]["interval"][1] - surer[0]["interval"][0]) / 2
    assert wider / half == pytest.approx(2.395 / 1.961, rel=2e-3)  # of the normal at 1 - .05 / 6 and 1 - .05 / 2
    assert surer[0]["smallest_visible"] > alone["smallest_visible"]


def test_variants_of_an_unsound_split_are_not_compared() -> None:
    shares = {"control": 1 / 3, "a": 1 / 3, "b": 1 / 3}
    rows = ("control", 1, 300), ("a", 1, 300), ("a", 0, 300), ("b", 0, 50)
    assert [row["beside"] for row in lift_rows(trial(*rows, shares=shares), by_variant=True)] == [[], []]


def test_cuped_takes_out_what_people_did_anyway() -> None:
    """Treated users spend 1 more than before, control users as before: the habit explains all the spread."""
    rows = [Outcome(arm, habit + gain + noise, habit, 25)
            for arm, gain in (("control", 0), ("treated", 1)) for habit in range(0, 100, 10)
            for noise in (-0.5, 0.5)]  # fmt: skip
    plain, adjusted = (lift_rows(Trial("a", 1, rows, HALF, proportion=False, cuped=on))[0] for on in (False, True))
    assert plain["adjusted"]["cuped"] is None
    cuped = adjusted["adjusted"]["cuped"]
    assert cuped["theta"] == pytest.approx(1)
    assert cuped["difference"] == pytest.approx(1)
    assert cuped["interval"][0] > 0 > plain["interval"][0]


def test_holm_never_orders_what_p_did_not() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def test_a_sample_of_nobody_is_no_error() -> None:
    assert sample_of([], True).n == 0
    assert around(1.0, fixed_half_width(0.0, 5)) == (1.0, 1.0)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(1, 9)), min_size=2), st.randoms())
def test_the_order_of_rows_changes_no_bit(rows: list[tuple[float, float, int]], chance: Any) -> None:
    shuffled = rows[:]
    chance.shuffle(shuffled)
    assert sample_of(shuffled, False) == sample_of(rows, False)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2))
def test_users_with_the_same_numbers_may_be_one_row(users: list[tuple[int, int]]) -> None:
    singly = [(y, x, 1) for y, x in users]
    grouped = [(*pair, users.count(pair)) for pair in sorted(set(users))]
    told, one_by_one = sample_of(grouped, True), sample_of(singly, True)
    assert (told.n, told.mean, told.variance) == (one_by_one.n, one_by_one.mean, one_by_one.variance)
    assert told.covariance == pytest.approx(one_by_one.covariance)
