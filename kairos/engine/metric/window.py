"""Metrics that slide with event time: 64 panes of a 64th of the window, aligned to the epoch.

A value reaches back over the current pane and the 63 before it, so over 63/64 of the window to the whole window.
State of one metric (and one value of its `per`) is a dict pane -> cell; without a window there is one pane, 0.
"""

from __future__ import annotations

from typing import Any

from kairos.engine.event import Event
from kairos.engine.metric.aggregates import AGGREGATES
from kairos.engine.metric.spec import Metric
from kairos.engine.size import size_of

PANES = 64
MOST_BYTES = 4_096
"""Of a value that is kept as it is; a larger one does not count."""
Cells = dict[int, Any]


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


class WindowedMetric:
    """One of AGGREGATES over a sliding window, or since ever."""

    def __init__(self, spec: Metric) -> None:
        self.spec = spec
        self.window = spec.window
        aggregate = AGGREGATES[spec.function]
        self._add, self._total, self._keeps, self._cell = (
            aggregate.add,
            aggregate.total,
            aggregate.keeps,
            aggregate.cell,
        )
        self._of_events, self._of_numbers = aggregate.reads == "events", aggregate.reads == "numbers"
        self._field = spec.value.removeprefix("event.") if spec.value and spec.value.startswith("event.") else None

    def pane(self, time: int) -> int:
        return time * PANES // self.window if self.window else 0

    def _value_of(self, event: Event) -> Any:
        if self._of_events:
            return 1
        if self._field is not None:
            return getattr(event, self._field)
        return event.props.get(self.spec.value or "")

    def add(self, cells: Cells, event: Event) -> int:
        """Take the event in; returns how many bytes that may have added.

        Missing values do not count, nor do, where numbers are wanted, others; nor do those too large to be remembered.
        """
        value = self._value_of(event)
        if value is None or (self._of_numbers and not _is_number(value)):
            return 0
        size = size_of(value) if self._keeps else 0
        if size > MOST_BYTES:
            if self._keeps == "value":
                return 0
            size = MOST_BYTES
        pane = self.pane(event.time)
        cells[pane] = self._add(cells.get(pane), value, event)
        if self.window and len(cells) > PANES:
            newest = max(cells)
            for old in [p for p in cells if p <= newest - PANES]:
                del cells[old]
        return size

    def value(self, cells: Cells | None, now: int) -> Any:
        """The metric's value at event time `now`."""
        if not cells:
            return self._total([])
        if not self.window:
            return self._total([cells[0]])
        newest = self.pane(now)
        return self._total([cell for pane, cell in cells.items() if newest - PANES < pane <= newest])

    def lapses_at(self, cells: Cells) -> int | None:
        if self.window is None:
            return None
        return -(-(max(cells, default=0) + PANES) * self.window // PANES)

    def seeded(self, value: Any, at: int) -> Cells:
        return {self.pane(at): self._cell(value, at)}
