"""What a unit of a shared budget's money has to bring (lambda), so that the money lasts: from what was chosen before.

Each choice maximises value - price * cost by itself. The higher the price, the less is spent; the price at which all
that was seen would just have kept to the budget is found by bisection. By duality no way of spending as much is better
but for one message at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_STEPS = 60
_HIGHEST = 1e12
"""At this price nothing is bought that costs anything, unless its group has no floor at all."""


class Option(NamedTuple):
    """One candidate of one choice: what it brings, and what of the budget it costs."""

    value: float
    cost: float


class Opportunity(NamedTuple):
    """One choice: `choose` of the options may be taken, none whose value less its price is below `floor`."""

    options: Sequence[Option]
    choose: int = 1
    floor: float = 0.0

    def taken(self, price: float) -> list[Option]:
        """Those that win at this price; equals in their order."""
        worth = [(option.value - price * option.cost, option) for option in self.options]
        best = sorted(worth, key=lambda pair: pair[0], reverse=True)[: self.choose]
        return [option for left, option in best if left >= self.floor]


def spent(opportunities: Sequence[Opportunity], price: float) -> float:
    return sum(option.cost for opportunity in opportunities for option in opportunity.taken(price))


def price_of(opportunities: Sequence[Opportunity], budget: float) -> float:
    """The lowest price at which no more than `budget` would have been spent; 0: there is enough for everything."""
    if spent(opportunities, 0.0) <= budget:
        return 0.0
    low, high = 0.0, 1.0
    while spent(opportunities, high) > budget and high < _HIGHEST:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if spent(opportunities, middle) > budget:
            low = middle
        else:
            high = middle
    return high
