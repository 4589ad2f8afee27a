"""What metrics.yaml says. Pure data."""

from __future__ import annotations

import msgspec


class Collect(msgspec.Struct, frozen=True):
    """The props to keep of each event, and of how many events, the newest ones."""

    fields: tuple[str, ...]
    most: int


class Decay(msgspec.Struct, frozen=True):
    """Event type -> points, a number or an expression over its props. `half_life` in ms, `max_per_day` may be None."""

    points: dict[str, int | float | str]
    half_life: int
    max_per_day: float | None = None


class Metric(msgspec.Struct, frozen=True):
    """An aggregate over a user's events.

    `function`: a key of AGGREGATES, `collect` or `decay`; the last two have a field of their own. `of` are the event
    types; `value` is the aggregated prop or `event.time` (None where there is none); `window` in ms, None: since ever;
    `per` keeps one value per value of this prop.
    """

    name: str
    function: str
    of: tuple[str, ...]
    value: str | None = None
    where: str | None = None
    window: int | None = None
    per: str | None = None
    collect: Collect | None = None
    decay: Decay | None = None
