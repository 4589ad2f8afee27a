"""How often somebody buys and when she stops: BG/NBD, and MBG/NBD, where one can stop right after the first purchase.

While alive a buyer buys at random at a rate of her own; rates are Gamma(r, alpha) over all buyers. After a purchase she
stops for good with a chance of her own; chances are Beta(a, b). A buyer is known by x, t_x and t: so many purchases
after the first, the last of them at t_x, observed until t; times in weeks from the first purchase.

Sources: Fader, Hardie and Lee, "Counting your customers the easy way" (2005), formulas (6) and (10); Batislam, Denizel
and Filiztekin, "Empirical validation and comparison of models for customer base analysis" (2007), for MBG/NBD.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kairos.engine.score.spec import Model

Numbers = np.ndarray[Any, np.dtype[np.float64]]

DAYS = 7.0
"""Days in the models' unit of time."""
_NEAR_ONE = 1e-6
_LARGE = 100.0
_NODES = 48
LARGEST = 12.0
"""Bound of a parameter's logarithm, either way."""
_STARTS = ((1.0, 5.0, 1.0, 2.0), (0.3, 1.0, 0.5, 5.0))


class CannotFitError(Exception):
    """These data do not tell the parameters; the message says why."""


@dataclass(frozen=True)
class Histories:
    """One place a buyer; equal histories may be one place with their number in `weight`."""

    x: Numbers
    t_x: Numbers
    t: Numbers
    weight: Numbers

    @classmethod
    def of(cls, x: Any, t_x: Any, t: Any) -> Histories:
        """Times in days."""
        return cls(np.asarray(x, float), np.asarray(t_x, float) / DAYS, np.asarray(t, float) / DAYS, np.ones(len(x)))

    def gathered(self) -> Histories:
        """Each history once: what likelihoods need, and mostly far fewer."""
        rows, counts = np.unique(np.column_stack([self.x, self.t_x, self.t]), axis=0, return_counts=True)
        return Histories(rows[:, 0], rows[:, 1], rows[:, 2], counts.astype(float))


@dataclass(frozen=True)
class Buying:
    """Parameters as in the papers. `log_likelihood`: of all buyers together."""

    model: Model
    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = 0.0

    @property
    def parameters(self) -> dict[str, float]:
        return {"r": self.r, "alpha": self.alpha, "a": self.a, "b": self.b}

    def p_alive(self, of: Histories) -> Numbers:
        """The chance that a buyer has not stopped until t."""
        odds = np.exp(_log_odds_of_death(self.model, (self.r, self.alpha, self.a, self.b), of))
        return np.asarray(1 / (1 + odds))

    def expected_purchases(self, of: Histories, days: float) -> Numbers:
        """In the `days` after t. Euler's transformation keeps the hypergeometric function's arguments small, so heavy
        buyers overflow nothing; where all stop with nearly the same chance, a and b are too large for it."""
        from scipy.special import hyp2f1  # a third of a second to import, for who asks of models

        later = days / DAYS
        if max(self.a, self.b) > _LARGE:
            return np.asarray(self._by_chances(of, later) * self.p_alive(of))
        a = self.a if abs(self.a - 1) > _NEAR_ONE else 1 + _NEAR_ONE
        stopped = 1 if self.model == "mbg_nbd" else 0
        c = a + self.b + of.x + stopped - 1
        z = later / (self.alpha + of.t + later)
        grown = (1 - z) ** (a - 1) * hyp2f1(a + self.b + stopped - 1 - self.r, a - 1, c, z)
        return np.asarray(c / (a - 1) * (1 - grown) * self.p_alive(of))

    def _by_chances(self, of: Histories, later: float) -> Numbers:
        """Of who is alive, the mean of (1 - (1 + p later / (alpha + t))^-(r + x)) / p over her chance p to stop, that
        is Beta(a, kept): Gauss and Legendre's rule over its quantiles."""
        from scipy.special import betaincinv

        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        total = np.zeros(len(of.x))
        kept = self.b + of.x + (1 if self.model == "mbg_nbd" else 0)
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            p = np.maximum(betaincinv(self.a, kept, node), 1e-12)
            total += weight * -np.expm1(-(self.r + of.x) * np.log1p(p * later / (self.alpha + of.t))) / p
        return total


def fit(model: Model, of: Histories) -> Buying:
    """The parameters of the greatest likelihood. Where it grows without end, as it does where nobody ever stops, they
    are the last within bounds, and foretell the same. Raises CannotFitError."""
    if not len(of.x):
        raise CannotFitError("nobody has bought anything")
    if not of.x.any():
        raise CannotFitError("nobody has bought on a second day, so nothing tells who will")
    data = of.gathered()
    total = data.weight.sum()

    def loss(logs: Numbers) -> float:
        value = -float((_log_likelihood(model, np.exp(logs), data) * data.weight).sum()) / total
        return value if np.isfinite(value) else 1e9

    best = minimised(loss, [np.log(start) for start in _STARTS])
    r, alpha, a, b = (float(value) for value in np.exp(best.x))
    return Buying(model, r, alpha, a, b, -float(best.fun) * float(total))


def minimised(loss: Callable[[Numbers], float], starts: Sequence[Numbers]) -> Any:
    """scipy's result. Quickly near the minimum, from the best of the starts, then exactly into it: the valley is long
    and flat."""
    from scipy.optimize import minimize

    bounds = [(-LARGEST, LARGEST)] * len(starts[0])
    tries = [minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    near = min(tries, key=lambda found: float(found.fun))
    options = {"xatol": 1e-6, "fatol": 1e-11, "maxiter": 1_500, "maxfev": 1_500}
    return minimize(loss, near.x, method="Nelder-Mead", bounds=bounds, options=options)


def _log_likelihood(model: Model, parameters: Any, of: Histories) -> Numbers:
    from scipy.special import gammaln

    r, alpha, a, b = parameters
    kept = b + of.x + (1 if model == "mbg_nbd" else 0)
    bought = gammaln(r + of.x) - gammaln(r) + r * np.log(alpha)
    stayed = gammaln(a + b) + gammaln(kept) - gammaln(b) - gammaln(a + kept)
    alive = -(r + of.x) * np.log(alpha + of.t)
    return np.asarray(bought + stayed + alive + np.logaddexp(0, _log_odds_of_death(model, parameters, of)))


def _log_odds_of_death(model: Model, parameters: Any, of: Histories) -> Numbers:
    """Having stopped at t_x against being alive at t; minus infinity where BG/NBD lets nobody stop: before a second
    purchase."""
    r, alpha, a, b = parameters
    waited = (r + of.x) * (np.log(alpha + of.t) - np.log(alpha + of.t_x))
    if model == "mbg_nbd":
        return np.asarray(np.log(a) - np.log(b + of.x) + waited)
    again = of.x > 0
    return np.where(again, np.log(a) - np.log(np.where(again, b + of.x - 1, 1.0)) + waited, -np.inf)
