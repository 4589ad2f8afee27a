"""What metrics.yaml says. Pure data."""

from __future__ import annotations

from typing import Literal

import msgspec


class Metric(msgspec.Struct, frozen=True):
    """An aggregate over a user's events.

    `of` are the event types; `value` is the aggregated prop or `event.time` (None for `count`); `window` in ms, None:
    since ever; `per` keeps one value per value of this prop.
    """

    name: str
    function: Literal["count", "sum", "avg", "min", "max", "distinct", "last", "first"]
    of: tuple[str, ...]
    value: str | None = None
    where: str | None = None
    window: int | None = None
    per: str | None = None
