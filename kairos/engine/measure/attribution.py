"""Attribution: which messages a conversion is booked to. Bookkeeping, and no word of cause."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from kairos.engine.expression.sql.pieces import quoted
from kairos.engine.measure.ask import Ask, Row, Rows, listed
from kairos.engine.measure.spec import Attribution

NOTE = "attribution is bookkeeping: it shares out what happened, and says nothing of what would have happened anyway"
_BILLION = 1_000_000_000


class Touch(NamedTuple):
    """`age`: ms from the touch to the conversion."""

    activity: str
    channel: str | None
    age: int


Credits = Sequence[Fraction | float]


def _last(touches: Sequence[Touch], _half_life: int) -> Credits:
    return [*(Fraction(0) for _ in touches[1:]), Fraction(1)]


def _first(touches: Sequence[Touch], _half_life: int) -> Credits:
    return [Fraction(1), *(Fraction(0) for _ in touches[1:])]


def _linear(touches: Sequence[Touch], _half_life: int) -> Credits:
    return [Fraction(1, len(touches))] * len(touches)


def _position(touches: Sequence[Touch], half_life: int) -> Credits:
    """40 % to the first, 40 % to the last, 20 % to those between."""
    if len(touches) <= 2:
        return _linear(touches, half_life)
    end, middle = Fraction(2, 5), Fraction(1, 5) / (len(touches) - 2)
    return [end, *(middle for _ in touches[2:]), end]


def _time_decay(touches: Sequence[Touch], half_life: int) -> Credits:
    """Ages from the youngest on, so that of old touches one is left."""
    youngest = min(touch.age for touch in touches)
    weights = [2.0 ** (-(touch.age - youngest) / half_life) for touch in touches]
    whole = math.fsum(weights)
    return [weight / whole for weight in weights]


def _shapley(touches: Sequence[Touch], _half_life: int) -> Credits:
    """v(S) = conversions whose channels lie in S: shared evenly over its channels, then over the touches of each."""
    channels = [touch.channel for touch in touches]
    return [Fraction(1, len(set(channels)) * channels.count(channel)) for channel in channels]


MODELS: dict[str, Callable[[Sequence[Touch], int], Credits]] = {
    "last": _last, "first": _first, "linear": _linear, "position": _position, "time_decay": _time_decay,
    "shapley": _shapley,
}  # fmt: skip


class _Booked:
    """What is booked to one place. Exact as long as credits are, so that no order of conversions changes a bit."""

    def __init__(self) -> None:
        self._exact = [Fraction(0), Fraction(0)]
        self._rounded: tuple[list[float], list[float]] = ([], [])

    def add(self, credit: Fraction | float, value: Fraction) -> None:
        if isinstance(credit, Fraction):
            self._exact[0] += credit
            self._exact[1] += credit * value
        else:
            self._rounded[0].append(credit)
            self._rounded[1].append(credit * float(value))

    @property
    def totals(self) -> tuple[float, float]:
        """(conversions, value)."""
        conversions, value = (math.fsum([*self._rounded[i], float(self._exact[i])]) for i in (0, 1))
        return conversions, value


class _Conversion(NamedTuple):
    group: object
    value: Fraction
    touches: list[Touch]


def attribution(ask: Ask, spec: Attribution) -> list[Row]:
    """Rows in order of the models asked for; in each by activity and channel, those without a touch last."""
    ask.notes.append(NOTE)
    conversions = _conversions(ask.query(_touches_sql(ask, spec)))
    alone = {g: [Fraction(n), Fraction(value or 0, _BILLION)] for g, n, value in ask.query(_totals_sql(ask, spec))}
    for conversion in conversions:
        alone[conversion.group][0] -= Fraction(1)
        alone[conversion.group][1] -= conversion.value
    return [row for model in spec.models for row in _booked(ask, model, spec.half_life, conversions, alone)]


def _booked(
    ask: Ask, model: str, half_life: int, conversions: Sequence[_Conversion], alone: dict[object, list[Fraction]]
) -> list[Row]:
    booked: dict[tuple[object, str | None, str | None], _Booked] = defaultdict(_Booked)
    for conversion in conversions:
        credits = MODELS[model](conversion.touches, half_life)
        for touch, credit in zip(conversion.touches, credits, strict=True):
            if credit:
                booked[conversion.group, touch.activity, touch.channel].add(credit, conversion.value)
    for group, (left, value) in alone.items():
        if left:
            booked[group, None, None].add(left, value / left)
    rows = []
    for key in sorted(booked, key=lambda key: [(part is None, str(part)) for part in key]):
        group, activity, channel = key
        conversions_, value_ = booked[key].totals
        row = {"model": model, "activity": activity, "channel": channel, "conversions": conversions_, "value": value_}
        rows.append(ask.labelled(group, row))
    return rows


def _conversions(rows: Rows) -> list[_Conversion]:
    """`rows`: (group, user, time, source, type, id, value, activity, occurrence, channel, time of the touch)."""
    found: dict[tuple[object, ...], _Conversion] = {}
    for group, *key, value, activity, _, channel, touched in sorted(rows, key=_in_order):
        place = (group, *key)
        if place not in found:
            found[place] = _Conversion(group, Fraction(value or 0, _BILLION), [])
        found[place].touches.append(Touch(activity, channel, key[1] - touched))
    return list(found.values())


def _in_order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Touches by time, ties by activity."""
    _, *key, _, activity, occurrence, _, touched = row
    return (*key, touched, activity, occurrence)


def _conversions_sql(ask: Ask, spec: Attribution) -> str:
    join, group = ask.groups("c.user_id", ask.clock.day("c.time_ms"))
    zones = ask.clock.join("c.user_id") if ask.by == "week" else ""
    value = "c.value" if spec.conversion.value is not None else "CAST(0 AS DECIMAL(38, 0))"
    return f"""SELECT {group} AS g, c.user_id, c.time_ms, c.source, c.type, c.id, {value} AS value
    FROM ({ask.events(spec.conversion, "e.source", "e.type", "e.id")}) c {zones} {join}
    WHERE {ask.in_range("c.time_ms")}"""


def _totals_sql(ask: Ask, spec: Attribution) -> str:
    return f"SELECT g, count(*), sum(value) FROM ({_conversions_sql(ask, spec)}) c GROUP BY g"


def _touches_sql(ask: Ask, spec: Attribution) -> str:
    """A row a conversion and occurrence: the latest receipt that qualifies."""
    windows = " ".join(f"WHEN {quoted(status)} THEN {window}" for status, window in sorted(spec.windows.items()))
    key = "g, user_id, time_ms, source, type, id, value"
    return f"""
WITH c AS ({_conversions_sql(ask, spec)}),
t AS (SELECT c.g, c.user_id, c.time_ms, c.source, c.type, c.id, c.value, r.activity, r.occurrence, r.channel,
    r.time_ms AS touched_ms, row_number() OVER (PARTITION BY c.user_id, c.time_ms, c.source, c.type, c.id,
        r.activity, r.occurrence ORDER BY r.time_ms DESC, r.attempt DESC, r.status) AS nth
    FROM c JOIN receipts r ON r.user_id = c.user_id AND r.time_ms < c.time_ms
    AND c.time_ms - r.time_ms <= CASE r.status {windows} END
    WHERE r.status IN ({listed(sorted(spec.windows))}) AND r.time_ms <= {ask.as_of})
SELECT {key}, activity, occurrence, channel, touched_ms FROM t WHERE nth = 1"""
