"""How interested somebody is, by a metric over her past events, and which of them made it so."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.event import Event
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts
from kairos.engine.metric.compiled import CompiledMetric
from kairos.engine.metric.spec import Metric

REASONS = 3


class Interest:
    """Of all users. Events come in order of time; `zone`: the policy's."""

    def __init__(self, metric: Metric, zone: ZoneInfo) -> None:
        self._metric = CompiledMetric(metric, zone)
        self._spec = metric
        self._where = parse(metric.where).predicate() if metric.where is not None else None
        self._cells: dict[str, dict[Any, Any]] = {}
        self._parts: dict[str, dict[str, tuple[float, int]]] = defaultdict(dict)

    def add(self, event: Event) -> None:
        if self._where is not None and not self._where(Facts(event.props, event)):
            return
        cells = self._cells.setdefault(event.user_id, {})
        before = self._number(cells, event.time)
        self._metric.add(cells, event)
        gained = self._number(cells, event.time) - before
        part, since = self._parts[event.user_id].get(event.type, (0.0, event.time))
        self._parts[event.user_id][event.type] = (self._left(part, event.time - since) + gained, event.time)

    def value(self, user_id: str, now: int) -> float:
        return self._number(self._cells.get(user_id), now)

    def reasons(self, user_id: str, now: int) -> list[str]:
        """The types of events that most of it is from, with what is left of it, and when the last such event was."""
        parts = [(self._left(part, now - since), type_, since) for type_, (part, since) in
                 self._parts.get(user_id, {}).items()]  # fmt: skip
        best = sorted(parts, key=lambda part: (-part[0], part[1]))[:REASONS]
        return [f"{type_} {part:.1f}, last {_day(since)}" for part, type_, since in best if part > 0]

    def _number(self, cells: dict[Any, Any] | None, now: int) -> float:
        value = self._metric.value(cells, now)
        return float(value) if isinstance(value, int | float) else 0.0

    def _left(self, part: float, after: int) -> float:
        decay = self._spec.decay
        return part if decay is None else part * 2.0 ** (-after / decay.half_life)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
