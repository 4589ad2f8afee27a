"""What the warehouse says of the matured users of one activity: rows of users with the same numbers, and how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

CONTROL = "control"
TREATED = "treated"
"""The arm of an activity without variants, and of all variants together."""


class Outcome(NamedTuple):
    """`users` users of one arm with the same numbers. `value`: the metric in (entry, entry + W), 0 or 1 where it is a
    goal rate; `before`: the same metric in [entry - cuped, entry)."""

    arm: str
    value: float
    before: float
    users: int


class Trial(NamedTuple):
    """One epoch of one activity. `shares`: arm -> the share of users drawn for it (they sum to 1), None where nobody
    knows (the control group is a crowd). `immature`: users whose window is still open, who are in no outcome;
    `matures_ms`: when the last of them is mature.

    `decide_at`: the number of users, declared before, from which on the fixed interval is shown.
    """

    activity: str
    epoch: int
    outcomes: Sequence[Outcome]
    shares: Mapping[str, float] | None
    proportion: bool = True
    immature: int = 0
    matures_ms: int | None = None
    decide_at: int = 5_000
    cuped: bool = False


class MoneyOutcome(NamedTuple):
    """`users` users of one arm with the same money in (entry, entry + W): `value` of their purchases, `margin` on it,
    `cost` of what was sent to them and redeemed by them, and `bought`: 1 where they bought at all, else 0."""

    arm: str
    value: float
    margin: float
    cost: float
    bought: int
    users: int


class MoneyTrial(NamedTuple):
    """One epoch of one activity, in money; the fields as in `Trial`."""

    outcomes: Sequence[MoneyOutcome]
    shares: Mapping[str, float] | None
    decide_at: int = 5_000
