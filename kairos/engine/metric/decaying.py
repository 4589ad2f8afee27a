"""`decay`: points that lose half of their worth in each half-life.

State is (score, when it was that, the day, the points of that day): whatever happened, four numbers. After d without an
event the score s is s * 2^(-d/h). What is less than a billionth of a point is none.
"""

from __future__ import annotations

from datetime import datetime
from math import floor, isfinite, log2
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.event import Event
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts
from kairos.engine.metric.spec import Decay

LEAST = 1e-9
_STATE = 0
Cells = dict[Any, Any]


class DecayingMetric:
    """`zone`: of the days that `max_per_day` is about."""

    def __init__(self, spec: Decay, zone: ZoneInfo) -> None:
        self._points = {
            type_: parse(points).compile() if isinstance(points, str) else points
            for type_, points in spec.points.items()
        }
        self._half_life, self._most, self._zone = spec.half_life, spec.max_per_day, zone

    def add(self, cells: Cells, event: Event) -> int:
        """A late event is worth what is left of its points by now; the limit of a day that is over is not known."""
        points = self._points_of(event)
        score, since, day, today = cells.get(_STATE, (0.0, event.time, 0, 0.0))
        its_day = datetime.fromtimestamp(event.time // 1000, self._zone).toordinal()
        if its_day > day:
            day, today = its_day, 0.0
        if self._most is not None and points > 0:
            points = max(0.0, min(points, self._most - (today if its_day == day else 0.0)))
            today += points if its_day == day else 0.0
        if event.time >= since:
            score, since = self._left(score, event.time - since) + points, event.time
        else:
            score += self._left(points, since - event.time)
        if isfinite(score):
            cells[_STATE] = [score, since, day, today]
        return 0

    def value(self, cells: Cells | None, now: int) -> float:
        score, since, *_ = (cells or {}).get(_STATE, (0.0, now))
        return self._left(score, now - since)

    def lapses_at(self, cells: Cells) -> int | None:
        score, since, *_ = cells.get(_STATE, (0.0, 0))
        if abs(score) < LEAST:
            return int(since)
        return int(since) + floor(self._half_life * log2(abs(score) / LEAST)) + 2

    def seeded(self, value: Any, at: int) -> Cells:
        return {_STATE: [float(value), at, 0, 0.0]}

    def _left(self, score: float, after: int) -> float:
        left = score * 2.0 ** (-after / self._half_life)
        return left if abs(left) >= LEAST else 0.0

    def _points_of(self, event: Event) -> float:
        points = self._points[event.type]
        if callable(points):
            points = points(Facts(event.props, event))
        return float(points) if type(points) in (int, float) else 0.0
