"""What one day with purchases is worth: Gamma-Gamma, and with it what a buyer will bring.

A buyer's days vary around a mean of her own, Gamma(p, nu); the nu are Gamma(q, gamma) over all buyers. It takes
money to be independent of how often somebody buys. Source: Fader, Hardie and Lee, "RFM and CLV: using iso-value curves
for customer base analysis" (2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kairos.engine.score.buying import Buying, CannotFitError, Histories, Numbers, minimised

MONTH = 30.0
"""Days: what is expected is discounted by whole months."""
FEWEST = 10
"""Buyers with a second day of purchases and a positive mean that it takes."""


@dataclass(frozen=True)
class Spending:
    """`q` is above 1, so every mean exists."""

    p: float
    q: float
    gamma: float

    @property
    def parameters(self) -> dict[str, float]:
        return {"p": self.p, "q": self.q, "gamma": self.gamma}

    def expected_value(self, x: Numbers, mean: Numbers) -> Numbers:
        """Of a day with purchases to come. `mean` of `x` such days; who has none counts as one like all."""
        known = np.where(mean > 0, x, 0)
        return np.asarray(self.p * (self.gamma + known * mean) / (self.p * known + self.q - 1))


def fit_spending(x: Numbers, mean: Numbers) -> Spending:
    """Raises CannotFitError."""
    telling = (x > 0) & (mean > 0)
    if telling.sum() < FEWEST:
        raise CannotFitError(f"money takes {FEWEST} buyers who bought on a second day; there are {telling.sum()}")
    from scipy.special import gammaln  # a quarter of a second to import

    x, mean = x[telling], mean[telling]

    def loss(logs: Any) -> float:
        p, q, gamma = np.exp(logs[0]), 1 + np.exp(logs[1]), np.exp(logs[2])
        px = p * x
        value = gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(gamma)
        value += (px - 1) * np.log(mean) + px * np.log(x) - (px + q) * np.log(x * mean + gamma)
        average = -float(value.mean())
        return average if np.isfinite(average) else 1e9

    best = minimised(loss, [np.log([1.0, 1.0, float(np.median(mean))])])
    return Spending(float(np.exp(best.x[0])), float(1 + np.exp(best.x[1])), float(np.exp(best.x[2])))


def clv(buying: Buying, worth: Numbers, of: Histories, days: float, discount: float) -> Numbers:
    """What the purchases of the next `days` bring, each month at today's value. `worth`: of a day with purchases;
    `discount`: a share a year."""
    total, before = np.zeros(len(of.x)), np.zeros(len(of.x))
    for end in np.append(np.arange(MONTH, days, MONTH), days):
        until = buying.expected_purchases(of, float(end))
        total += (until - before) * worth / (1 + discount) ** (float(end) / 365)
        before = until
    return total
