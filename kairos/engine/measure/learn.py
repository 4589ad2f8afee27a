"""Which of several messages is the best, and how much an effect is worth believing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

POINTS = 2_000
PERCENT = 2
"""Digits of a weight. Every other weight begins a new epoch of the activity, so only whole percents count."""

DOUBT = 2_000
"""An effect counts half where so many users have shown it."""


class Seen(NamedTuple):
    """Of one variant: matured users, and how many of them reached the goal."""

    users: int
    reached: int


class Prior(NamedTuple):
    """What is believed before: `rate` of users reach the goal, as sure as after `users` of them."""

    rate: float
    users: int


NO_PRIOR = Prior(0.0, 0)
"""Every rate is as likely."""


def weights(seen: Mapping[str, Seen], prior: Prior = NO_PRIOR) -> dict[str, float]:
    """Variant -> the chance that it is the best one: how often Thompson sampling would draw it.

    Thompson sampling draws a rate for each variant from what is known of it (a Beta distribution) and takes the
    highest. Which share of draws each would win is computed, not drawn, so the same numbers give the same weights.
    """
    from scipy.special import betainc, betaincinv  # a quarter of a second to import

    beliefs = {name: _belief(one, prior) for name, one in sorted(seen.items())}
    middles = (np.arange(POINTS) + 0.5) / POINTS
    chances = {}
    for name, (a, b) in beliefs.items():
        rates = betaincinv(a, b, middles)
        others = [betainc(c, d, rates) for other, (c, d) in beliefs.items() if other != name]
        chances[name] = float(np.mean(np.prod(others, axis=0))) if others else 1.0
    whole = sum(chances.values())
    least = 10**-PERCENT
    return {name: max(round(chance / whole, PERCENT), least) for name, chance in chances.items()}


def _belief(seen: Seen, prior: Prior) -> tuple[float, float]:
    """Both numbers of the Beta distribution; without a prior every rate is as likely at first."""
    reached, not_reached = (prior.rate * prior.users, (1 - prior.rate) * prior.users) if prior.users else (1.0, 1.0)
    least = 1e-3  # a prior of 0 % or 100 % would never learn
    return max(reached, least) + seen.reached, max(not_reached, least) + seen.users - seen.reached


def shrunk(difference: float, users: int, believed: float = 0.0) -> float:
    """An effect drawn towards what was believed before: the fewer users have shown it, the more."""
    return (users * difference + DOUBT * believed) / (users + DOUBT)
