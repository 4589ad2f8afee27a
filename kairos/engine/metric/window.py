"""Metrics that slide with event time: 64 panes of a 64th of the window, aligned to the epoch.

A value reaches back over the current pane and the 63 before it, so over 63/64 of the window to the whole window.
State of one metric (and one value of its `per`) is a dict pane -> cell; without a window there is one pane, 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from kairos.engine.event import Event
from kairos.engine.metric.key import value_key
from kairos.engine.metric.spec import Metric

PANES = 64
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
Cells = dict[int, Any]


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _storable(number: Any) -> Any:
    """State and records hold integers of 64 bits; a sum beyond them goes on as a float."""
    return number if type(number) is float or _LOWEST <= number <= _HIGHEST else float(number)


def _add_number(cell: Any, value: Any, _event: Event) -> Any:
    return value if cell is None else _storable(cell + value)


def _add_mean(cell: Any, value: Any, _event: Event) -> Any:
    return [value, 1] if cell is None else [_storable(cell[0] + value), cell[1] + 1]


def _add_first(cell: Any, value: Any, event: Event) -> Any:
    return [event.time, value] if cell is None or event.time < cell[0] else cell


def _add_last(cell: Any, value: Any, event: Event) -> Any:
    return [event.time, value] if cell is None or event.time >= cell[0] else cell


def _add_distinct(cell: Any, value: Any, _event: Event) -> Any:
    key = value_key(value)
    if cell is None:
        return [key]
    if key not in cell:
        cell.append(key)
    return cell


def _mean(cells: Iterable[Any]) -> Any:
    total, count = 0, 0
    for cell in cells:
        total += cell[0]
        count += cell[1]
    return total / count if count else None


def _finite(value: Any) -> Any:
    """Overflow is null, as everywhere in the language."""
    return None if type(value) is float and (value != value or value in (float("inf"), float("-inf"))) else value


# function -> (what a value does to a cell, what the live cells come to, does it take numbers only)
_FUNCTIONS: dict[str, tuple[Callable[[Any, Any, Event], Any], Callable[[list[Any]], Any], bool]] = {
    "count": (_add_number, sum, False),
    "sum": (_add_number, lambda cells: _finite(_storable(sum(cells))), True),
    "avg": (_add_mean, lambda cells: _finite(_mean(cells)), True),
    "min": (lambda c, v, _e: v if c is None or v < c else c, lambda cells: min(cells, default=None), True),
    "max": (lambda c, v, _e: v if c is None or v > c else c, lambda cells: max(cells, default=None), True),
    "distinct": (_add_distinct, lambda cells: len({key for cell in cells for key in cell}), False),
    "first": (_add_first, lambda cells: min(cells, key=lambda c: c[0])[1] if cells else None, False),
    "last": (_add_last, lambda cells: max(cells, key=lambda c: c[0])[1] if cells else None, False),
}


class WindowedMetric:
    """A compiled metric. `key` names its state: another definition under the same name starts anew."""

    def __init__(self, spec: Metric) -> None:
        self.spec = spec
        self.name = spec.name
        self.per = spec.per
        self.window = spec.window
        self.key = f"{spec.name}@{hashlib.blake2b(msgspec.json.encode(spec), digest_size=4).hexdigest()}"
        self._add, self._total, self._numbers_only = _FUNCTIONS[spec.function]
        self._field = spec.value.removeprefix("event.") if spec.value and spec.value.startswith("event.") else None

    def pane(self, time: int) -> int:
        return time * PANES // self.window if self.window else 0

    def _value_of(self, event: Event) -> Any:
        if self.spec.function == "count":
            return 1
        if self._field is not None:
            return getattr(event, self._field)
        return event.props.get(self.spec.value or "")

    def add(self, cells: Cells, event: Event) -> None:
        """Take the event in; missing values and, where numbers are wanted, non-numbers do not count."""
        value = self._value_of(event)
        if value is None or (self._numbers_only and not _is_number(value)):
            return
        pane = self.pane(event.time)
        cells[pane] = self._add(cells.get(pane), value, event)
        if self.window and len(cells) > PANES:
            newest = max(cells)
            for old in [p for p in cells if p <= newest - PANES]:
                del cells[old]

    def value(self, cells: Cells | None, now: int) -> Any:
        """The metric's value at event time `now`."""
        if not cells:
            return self._total([])
        if not self.window:
            return self._total([cells[0]])
        newest = self.pane(now)
        return self._total([cell for pane, cell in cells.items() if newest - PANES < pane <= newest])

    def lapsed(self, cells: Cells, now: int) -> bool:
        """Nothing in it counts any more, nor ever will."""
        return self.window is not None and max(cells, default=0) <= self.pane(now) - PANES
