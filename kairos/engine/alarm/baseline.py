"""The statistics: what is normal for a series at this hour, and how far off it is. Arrays have a row a series.

Counts are made comparable by Anscombe's transformation, a = 2 sqrt(x + 3/8), whose standard deviation is 1 for Poisson
counts of any size; shares by their log-odds, whose standard deviation is 1 / sqrt(n p (1 - p)). Normal is the median
of the same hour of the week, one before and one after, in the four weeks before; the spread is that of MAD / 0.6745,
and never less than chance alone would have it.

Twelve values at most tell a spread badly: one that is small by luck is shared by the hours beside, and would make an
alarm of two good ones. So what a series varies beyond chance is learned over a week of such spreads, too: as a factor,
since a rate that varies by f adds f^2 n to the variance 1 of n messages, and f^2 n p (1 - p) to that of a share.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Array = NDArray[np.float64]

WEEKS = 4
ENOUGH = 9
"""Values that a baseline needs: three weeks."""
TRIALS = 50
"""Of fewer a share says nothing."""
HOURS_A_WEEK = 168


class Baseline(NamedTuple):
    """NaN where there is too little past. `beyond`: variance that is no chance, as the whole week has it."""

    median: Array
    spread: Array
    beyond: Array


class Variation:
    """How much each series varies beyond chance: f^2 of the module's description, as most hours of the last week have
    it."""

    def __init__(self) -> None:
        self._seen = np.zeros((0, HOURS_A_WEEK))

    def learn(self, hour: int, excess: Array) -> Array:
        """f^2 of each series, 0 where nothing is known; `excess`: what the spread of this hour says of it, or NaN."""
        lacking = len(excess) - len(self._seen)
        if lacking > 0:
            self._seen = np.vstack([self._seen, np.full((lacking, HOURS_A_WEEK), np.nan)])
        self._seen[:, hour % HOURS_A_WEEK] = excess
        found = np.zeros(len(excess))
        known = ~np.isnan(self._seen).all(axis=1)
        found[known] = np.maximum(np.nanmedian(self._seen[known], axis=1), 0.0)
        return found


@lru_cache(maxsize=8)
def same_hours(hour: int, zone: ZoneInfo) -> tuple[int, ...]:
    """The hours (since 1970, UTC) to hold `hour` against: the same of the week by the zone's clocks, one before and one
    after, in the weeks before."""
    local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone).replace(tzinfo=None)
    found = []
    for week in range(1, WEEKS + 1):
        for beside in (-1, 0, 1):
            then = local - timedelta(weeks=week) + timedelta(hours=beside)
            found.append(int(then.replace(tzinfo=zone).timestamp()) // 3600)
    return tuple(found)


def stabilised(counts: Array) -> Array:
    stable: Array = 2 * np.sqrt(counts + 0.375)
    return stable


def expected(stable: Array) -> Array:
    """The count of which this is the transformation."""
    counts: Array = np.maximum((stable / 2) ** 2 - 0.375, 0.0)
    return counts


def log_odds(hits: Array, trials: Array) -> Array:
    """NaN where there are too few trials."""
    with np.errstate(invalid="ignore"):
        odds: Array = np.log((hits + 0.5) / (trials - hits + 0.5))
    return np.where(trials >= TRIALS, odds, np.nan)


def of_counts(hits: Array, hour: int, variation: Variation) -> Baseline:
    """`hits`: a row a series, a column an hour of the past; NaN where nothing is known."""
    median, spread = _middle(stabilised(hits))
    size = expected(median)
    with np.errstate(divide="ignore"):
        excess = np.where(size > 0, (spread**2 - 1) / size, np.nan)
    return Baseline(median, spread, variation.learn(hour, excess) * size)


def of_shares(hits: Array, trials: Array, hour: int, variation: Variation) -> Baseline:
    """As `of_counts`."""
    odds = log_odds(hits, trials)
    median, spread = _middle(odds)
    p, known = expit(median), ~np.isnan(odds)
    usual = np.where(known, trials, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    with np.errstate(divide="ignore"):
        chance = 1 / (usual * p * (1 - p))
    return Baseline(median, spread, variation.learn(hour, spread**2 - chance))


def _middle(past: Array) -> tuple[Array, Array]:
    """Median and spread of each row."""
    median, spread = np.full(len(past), np.nan), np.full(len(past), np.nan)
    enough = np.count_nonzero(~np.isnan(past), axis=1) >= ENOUGH
    if enough.any():
        known = past[enough]
        median[enough] = middle = np.nanmedian(known, axis=1)
        spread[enough] = np.nanmedian(np.abs(known - middle[:, None]), axis=1) / 0.6745
    return median, spread


def z_of_counts(counts: Array, base: Baseline) -> Array:
    return _z(stabilised(counts), 1.0, base)


def z_of_shares(hits: Array, trials: Array, base: Baseline) -> Array:
    p = expit(base.median)
    with np.errstate(divide="ignore"):
        chance = 1 / (trials * p * (1 - p))
    return _z(log_odds(hits, trials), chance, base)


def _z(value: Array, chance: Array | float, base: Baseline) -> Array:
    """`chance`: the variance that it makes."""
    z: Array = (value - base.median) / np.maximum(base.spread, np.sqrt(chance + base.beyond))
    return z


def least_expected(base: Baseline) -> Array:
    """Counts that are surely expected of an hour: where a series varies by more than chance, so much less."""
    beyond = np.sqrt(np.maximum(base.spread**2 - 1, base.beyond))
    return expected(np.maximum(base.median - beyond, 0.0))


def most_usual(base: Baseline) -> Array:
    """The share that an hour may have without anybody wondering."""
    share: Array = expit(base.median + np.maximum(base.spread, np.sqrt(base.beyond)))
    return share
