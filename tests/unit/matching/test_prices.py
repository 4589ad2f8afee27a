"""The price of a budget's money: against an exact solver, on small worlds."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from kairos.engine.matching.prices import Opportunity, Option, price_of, spent


def world(seed: int) -> list[Opportunity]:
    """200 choices among up to four messages that differ in what they bring and cost, some not worth it."""
    chance = random.Random(seed)
    return [
        Opportunity(
            [Option(chance.gauss(1.0, 1.0), chance.uniform(0.05, 2.0)) for _ in range(chance.randint(1, 4))],
            chance.choice((1, 1, 2)),
        )
        for _ in range(200)
    ]


def optimum(opportunities: list[Opportunity], budget: float) -> float:
    """Whole messages, at most `choose` of each choice, all together within the budget: the most they can bring."""
    owner = [n for n, opportunity in enumerate(opportunities) for _ in opportunity.options]
    options = [option for opportunity in opportunities for option in opportunity.options]
    most = np.zeros((len(opportunities), len(options)))
    most[owner, range(len(options))] = 1
    limits = [
        LinearConstraint(most, ub=[float(opportunity.choose) for opportunity in opportunities]),
        LinearConstraint(np.array([[option.cost for option in options]]), ub=budget),
    ]
    solved = milp(-np.array([option.value for option in options]), constraints=limits, bounds=Bounds(0, 1),
                  integrality=np.ones(len(options)))  # fmt: skip
    assert solved.success
    return float(-solved.fun)


@pytest.mark.parametrize("seed", range(8))
def test_within_one_percent_of_the_optimum(seed: int) -> None:
    opportunities = world(seed)
    budget = random.Random(seed).uniform(0.2, 0.7) * spent(opportunities, 0.0)
    price = price_of(opportunities, budget)
    taken = [option for opportunity in opportunities for option in opportunity.taken(price)]
    assert price > 0
    assert sum(option.cost for option in taken) <= budget
    assert sum(option.value for option in taken) >= 0.99 * optimum(opportunities, budget)


def test_no_price_is_asked_where_there_is_enough_and_none_is_too_high_where_there_is_nothing() -> None:
    opportunities = world(1)
    assert price_of(opportunities, spent(opportunities, 0.0)) == 0.0
    assert spent(opportunities, price_of(opportunities, 0.0)) == 0.0


def test_the_less_money_the_higher_the_price() -> None:
    opportunities = world(2)
    prices = [price_of(opportunities, budget) for budget in (10.0, 40.0, 90.0)]
    assert prices == sorted(prices, reverse=True)
