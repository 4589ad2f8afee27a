"""A sample of users: how many, their mean, how far apart they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """n users with the metric y, and x: the same metric before.

    `variance` is that of y: of values with n - 1, of a proportion m (1 - m), as in gbstats.
    """

    n: int
    mean: float
    variance: float
    mean_before: float = 0.0
    variance_before: float = 0.0
    covariance: float = 0.0

    @property
    def mean_variance(self) -> float:
        """Of the mean: the square of its standard error."""
        return self.variance / self.n

    def adjusted(self, theta: float) -> Sample:
        """y - theta x in place of y (CUPED)."""
        variance = self.variance + theta**2 * self.variance_before - 2 * theta * self.covariance
        return Sample(self.n, self.mean - theta * self.mean_before, max(variance, 0.0))


def sample_of(rows: Iterable[tuple[float, float, int]], proportion: bool) -> Sample:
    """`rows`: (y, x, how many users). Sums are exact until they are rounded once, so no order of rows changes a bit."""
    rows = list(rows)
    n = sum(users for _, _, users in rows)
    if n == 0:
        return Sample(0, 0.0, 0.0)
    mean, before = _mean(rows, n, lambda y, _: y), _mean(rows, n, lambda _, x: x)

    def spread(of: Callable[[float, float], float]) -> float:
        return math.fsum(of(y - mean, x - before) * users for y, x, users in rows) / (n - 1) if n > 1 else 0.0

    covariance = spread(lambda y, x: y * x)
    if proportion:
        return Sample(n, mean, mean * (1 - mean), before, before * (1 - before), covariance)
    return Sample(n, mean, spread(lambda y, _: y * y), before, spread(lambda _, x: x * x), covariance)


def _mean(rows: Iterable[tuple[float, float, int]], n: int, of: Callable[[float, float], float]) -> float:
    return math.fsum(of(y, x) * users for y, x, users in rows) / n
