"""What scores.yaml and grades.yaml say. Pure data."""

from __future__ import annotations

from typing import Literal

import msgspec

DAY = 86_400_000
Model = Literal["bg_nbd", "mbg_nbd"]
Value = Literal["p_alive", "expected_purchases", "clv"]


class BuyingScore(msgspec.Struct, frozen=True, tag="buying"):
    """`horizon`: ms ahead, of purchases and value to come. `discount`: a share a year."""

    model: Model = "mbg_nbd"
    value: Value = "p_alive"
    horizon: int = 365 * DAY
    discount: float = 0.0


class LikenessScore(msgspec.Struct, frozen=True, tag="lookalike"):
    """How likely a user is one of the crowd `seed`, 0..1. `size`: of so many users the quality is told; None: as many
    as there are seeds."""

    seed: str
    size: int | None = None


class TableScore(msgspec.Struct, frozen=True, tag="table"):
    """`column` of a CSV or Parquet file of one's own, below the rule folder or anywhere; a row a `user_id`."""

    table: str
    column: str


Score = BuyingScore | LikenessScore | TableScore

BUILT_IN: dict[str, Score] = {
    "bg_nbd": BuyingScore("bg_nbd"),
    "mbg_nbd": BuyingScore(),
    "p_alive": BuyingScore(),
    "expected_purchases": BuyingScore(value="expected_purchases"),
    "clv": BuyingScore(value="clv"),
    "churn": BuyingScore(),
}
"""What `kairos scores fit` knows without scores.yaml."""


class Grades(msgspec.Struct, frozen=True):
    """`rules`: grade -> condition on the profile, in order; who fits none has the last grade. `interest`: the metric
    or the profile's field that says how interested somebody is; None: nothing does."""

    rules: dict[str, str]
    interest: str | None = None


GRADES = ("A", "B", "C", "D")
