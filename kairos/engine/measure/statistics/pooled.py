"""The effects of several activities on their goals, taken together: the evidence of a plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kairos.engine.measure.evidence import Evidence, Shown
from kairos.engine.measure.statistics.interval import always_valid_half_width, around, fixed_half_width, method_at

DECIDE_AT = 5_000
"""Users, as of a lift that does not say."""


def evidence_of(rows: Mapping[str, Iterable[Mapping[str, Any]]], as_of: int) -> Evidence | None:
    """`rows`: activity -> the rows of its lift on the goal, one an epoch. None: no effect can be told.

    Each epoch compares its own arms, so no change of shares between them is taken for an effect. Variance of a mean:
    m (1 - m) / n in each arm, and of the weighted mean the sum of these by the squares of the weights.
    """
    by_name = {name: [row for row in of if row["interval"] is not None] for name, of in sorted(rows.items())}
    told = [row for of in by_name.values() for row in of]
    if not sum(map(_users, told)):
        return None
    lift, users, interval = _shown(told)
    treated = sum(row["n_treated"] for row in told)
    rate = math.fsum(row["mean_treated"] * row["n_treated"] for row in told) / treated
    return Evidence(
        lift, interval, users, as_of, rate, {name: Shown(*_shown(of)) for name, of in by_name.items() if of}
    )


def _shown(rows: Sequence[Mapping[str, Any]]) -> tuple[float, int, tuple[float, float]]:
    """The mean of epochs weighted by users, the users, the interval."""
    users = sum(map(_users, rows))
    lift = math.fsum(row["difference"] * _users(row) for row in rows) / users
    se = math.sqrt(math.fsum((_users(row) / users) ** 2 * _variance(row) for row in rows))
    if method_at(users, DECIDE_AT) == "always_valid":
        half = always_valid_half_width(se, users, DECIDE_AT)
    else:
        half = fixed_half_width(se, users - 2 * len(rows))
    return lift, users, around(lift, half)


def _users(row: Mapping[str, Any]) -> int:
    return int(row["n_control"] + row["n_treated"])


def _variance(row: Mapping[str, Any]) -> float:
    means = ((row["mean_control"], row["n_control"]), (row["mean_treated"], row["n_treated"]))
    return math.fsum(mean * (1 - mean) / n for mean, n in means)
