"""The models of buying against what their authors published of CDNOW, and against their own definitions."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.special import hyp2f1

from kairos.engine.score.buying import DAYS, Buying, CannotFitError, Histories, fit
from kairos.engine.score.spending import Spending, clv, fit_spending

SAMPLE = Path(__file__).with_name("cdnow_histories.csv.gz")
"""x, t_x, t in days, and the mean of the further days, of the 2,357 customers of the published tenth of CDNOW until
1997-09-30."""


def cdnow() -> tuple[Histories, np.ndarray]:
    with gzip.open(SAMPLE, "rt", encoding="ascii") as lines:
        x, t_x, t, mean = np.loadtxt(lines, delimiter=",", unpack=True)
    return Histories.of(x, t_x, t), mean


def one(x: float, t_x: float, t: float) -> Histories:
    return Histories.of(np.array([x]), np.array([t_x * DAYS]), np.array([t * DAYS]))


@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("bg_nbd", {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}),
        ("mbg_nbd", {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}),
    ],
)
def test_parameters_are_those_that_were_published(model: str, published: dict[str, float]) -> None:
    histories, _ = cdnow()
    assert len(histories.x) == 2_357
    fitted = fit(model, histories)  # type: ignore[arg-type]
    assert {name: round(value, 3) for name, value in fitted.parameters.items()} == published


def test_the_expected_purchases_of_a_customer_are_those_that_were_published() -> None:
    """Customer 0001 of the paper's spreadsheet: x 2, t_x 30.43, t 38.86; 1.226 purchases in the next 39 weeks."""
    model = Buying("bg_nbd", 0.243, 4.414, 0.793, 2.426)
    assert float(model.expected_purchases(one(2, 30.43, 38.86), 39 * DAYS)[0]) == pytest.approx(1.226, abs=5e-4)


def test_money_is_what_was_published() -> None:
    histories, mean = cdnow()
    money = fit_spending(histories.x, mean)
    assert (round(money.p, 2), round(money.q, 2), round(money.gamma, 2)) == (6.25, 3.74, 15.44)


def test_who_bought_once_is_alive_for_sure_only_to_the_plain_model() -> None:
    once = one(0, 0, 38)
    assert float(Buying("bg_nbd", 0.243, 4.414, 0.793, 2.426).p_alive(once)[0]) == 1
    assert float(Buying("mbg_nbd", 0.525, 6.183, 0.891, 1.614).p_alive(once)[0]) < 0.5


@pytest.mark.parametrize("x", [0, 1, 2, 40, 2_000])
def test_expected_purchases_grow_with_time_from_nothing(x: int) -> None:
    for model in (Buying("bg_nbd", 0.243, 4.414, 0.793, 2.426), Buying("mbg_nbd", 0.525, 6.183, 1.0, 1.614)):
        found = [float(model.expected_purchases(one(x, min(x, 30), 38.0), days)[0]) for days in (0, 7, 70, 700)]
        assert found[0] == pytest.approx(0, abs=1e-9)
        assert found == sorted(found)
        assert np.isfinite(found).all()


def test_expected_purchases_are_the_papers_formula() -> None:
    model, weeks = Buying("bg_nbd", 0.243, 4.414, 0.793, 2.426), 39.0
    for x, t_x, t in ((1, 3.0, 20.0), (3, 12.0, 38.0), (7, 36.0, 38.0)):
        r, alpha, a, b = model.r, model.alpha, model.a, model.b
        z = weeks / (alpha + t + weeks)
        grown = ((alpha + t) / (alpha + t + weeks)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
        dead = a / (b + x - 1) * ((alpha + t) / (alpha + t_x)) ** (r + x)
        expected = (a + b + x - 1) / (a - 1) * (1 - grown) / (1 + dead)
        assert float(model.expected_purchases(one(x, t_x, t), weeks * DAYS)[0]) == pytest.approx(expected, rel=1e-9)


def test_value_is_discounted_by_months() -> None:
    model, buyer = Buying("mbg_nbd", 0.525, 6.183, 0.891, 1.614), one(3, 30, 38)
    worth = Spending(6.25, 3.74, 15.44).expected_value(buyer.x, np.array([30.0]))
    plain = float(clv(model, worth, buyer, 365, 0.0)[0])
    assert plain == pytest.approx(float(worth[0] * model.expected_purchases(buyer, 365)[0]))
    assert plain / 1.1 < float(clv(model, worth, buyer, 365, 0.1)[0]) < plain


def test_who_never_came_back_is_worth_what_all_are() -> None:
    money = Spending(6.25, 3.74, 15.44)
    assert float(money.expected_value(np.array([0.0]), np.array([0.0]))[0]) == pytest.approx(6.25 * 15.44 / 2.74)


def test_what_tells_nothing_is_refused() -> None:
    with pytest.raises(CannotFitError, match="nobody has bought anything"):
        fit("mbg_nbd", Histories.of([], [], []))
    with pytest.raises(CannotFitError, match="second day"):
        fit("mbg_nbd", Histories.of([0, 0], [0, 0], [10, 20]))
    with pytest.raises(CannotFitError, match="10 buyers"):
        fit_spending(np.ones(3), np.ones(3))


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd"])
@pytest.mark.parametrize(("a", "b"), [(6.4e4, 1.5e5), (99.0, 240.0), (101.0, 240.0), (1e-5, 150_000.0), (1e-4, 90.0)])
def test_parameters_without_measure_foretell_as_their_neighbours_do(model: str, a: float, b: float) -> None:
    """Where nobody ever stops, or all do alike, the likelihood grows with a and b without end."""
    histories = Histories.of([0, 1, 5, 60], [0, 30, 100, 270], [10, 100, 200, 272])
    found = Buying(model, 4.76, 59.25, a, b).expected_purchases(histories, 90)  # type: ignore[arg-type]
    near = Buying(model, 4.76, 59.25, a * 0.99, b * 0.99).expected_purchases(histories, 90)  # type: ignore[arg-type]
    assert np.isfinite(found).all()
    assert found == pytest.approx(near, rel=0.02)
    assert (found <= (4.76 + histories.x) / (59.25 + histories.t) * 90 / DAYS + 1e-9).all(), "as if nobody ever stopped"


def test_both_ways_to_foretell_agree() -> None:
    histories = Histories.of([0, 1, 5, 60], [0, 30, 100, 270], [10, 100, 200, 272])
    model = Buying("mbg_nbd", 0.525, 6.183, 2.5, 60.0)
    by_chances = model._by_chances(histories, 90 / DAYS) * model.p_alive(histories)
    assert model.expected_purchases(histories, 90) == pytest.approx(by_chances, rel=1e-4)
