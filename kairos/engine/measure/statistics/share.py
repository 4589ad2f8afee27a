"""The interval of a share, at 95 %: how far it may be off where only so many were seen."""

from __future__ import annotations

import math

from kairos.engine.measure.statistics.interval import Interval

Z = 1.959963984540054
"""Of the normal distribution, 97.5 % lie below."""


def share_interval(hits: float, trials: float) -> Interval | None:
    """Wilson (1927), which stays in [0, 1] and is wide where there are few. None: nobody was seen, or it is no share
    of them, as more reach a goal than click."""
    if not 0 <= hits <= trials or trials == 0:
        return None
    share, spread = hits / trials, Z * Z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return (max(middle - half, 0.0), min(middle + half, 1.0))
