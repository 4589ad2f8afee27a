"""Intervals of a difference of two means, at 95 % where nothing else is asked: for one look, and for as many as one
likes. `alpha`: how often the interval may be wrong."""

from __future__ import annotations

import math
from typing import Literal

from kairos.engine.measure.statistics.sample import Sample

ALPHA = 0.05
Interval = tuple[float, float]
Method = Literal["fixed", "always_valid"]


def method_at(n: int, decide_at: int) -> Method:
    """Below the number of users declared before, people look again and again; from there on they decide."""
    return "always_valid" if n < decide_at else "fixed"


def half_width(se: float, control: Sample, treated: Sample, decide_at: int, alpha: float = ALPHA) -> float:
    n = control.n + treated.n
    if method_at(n, decide_at) == "fixed":
        return fixed_half_width(se, degrees_of_freedom(control, treated), alpha)
    return always_valid_half_width(se, n, decide_at, alpha)


def around(difference: float, half: float) -> Interval:
    return (difference - half, difference + half)


def fixed_half_width(se: float, df: float, alpha: float = ALPHA) -> float:
    """Student's t: right 95 times of 100 for who looks once."""
    from scipy.special import stdtrit  # a quarter of a second to import

    return float(stdtrit(df, 1 - alpha / 2)) * se


def always_valid_half_width(se: float, n: int, decide_at: int, alpha: float = ALPHA) -> float:
    """Waudby-Smith et al. (arXiv 2103.06476), equation 9, tightest about `decide_at` users (equation 161).

    Right at every look together, 95 times of 100, however often one looks.
    """
    nr2 = n * (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / decide_at
    return se * math.sqrt(n) * math.sqrt(2 * (nr2 + 1) / (n * nr2) * math.log(math.sqrt(nr2 + 1) / alpha))


def degrees_of_freedom(control: Sample, treated: Sample) -> float:
    """Welch and Satterthwaite."""
    parts = (control.mean_variance**2 / (control.n - 1), treated.mean_variance**2 / (treated.n - 1))
    return (control.mean_variance + treated.mean_variance) ** 2 / sum(parts)


def p_of(difference: float, se: float, df: float) -> float:
    """Two-sided, of one look."""
    from scipy.special import stdtr

    return float(2 * stdtr(df, -abs(difference / se)))
