"""The kinds of metrics: one more is an entry of AGGREGATES, where rules, lint and reference look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

from kairos.engine.event import Event
from kairos.engine.metric.key import hashed, value_key
from kairos.engine.strict_json import HIGHEST, LOWEST


class Aggregate(NamedTuple):
    """`add`: what a value does to a pane's cell; None is a pane without one. `total`: what the cells that still count
    come to. `cell`: the cell of a metric that has this value at this time (epoch ms), which is how examples begin.

    `reads`: what it is an aggregate of: the events themselves, numbers of a prop, or any values of one. `of_time`:
    `event.time` may stand in the prop's place. `type`: of its value; None: as the prop's.

    `keeps`: what a cell remembers of each value, apart from a number: its key or the value itself.
    `counts_up`: it can only grow, so that without a window it is wrong until it knows the past.
    """

    meaning: str
    add: Callable[[Any, Any, Event], Any]
    total: Callable[[list[Any]], Any]
    cell: Callable[[Any, int], Any] = lambda value, _at: value
    reads: Literal["events", "numbers", "values"] = "numbers"
    of_time: bool = False
    type: Literal["integer", "number"] | None = None
    keeps: Literal["key", "value"] | None = None
    counts_up: bool = False


def _storable(number: Any) -> Any:
    """State and records hold integers of 64 bits; a sum beyond them goes on as a float."""
    return number if type(number) is float or LOWEST <= number <= HIGHEST else float(number)


def _add_number(cell: Any, value: Any, _event: Event) -> Any:
    return value if cell is None else _storable(cell + value)


def _add_mean(cell: Any, value: Any, _event: Event) -> Any:
    return [value, 1] if cell is None else [_storable(cell[0] + value), cell[1] + 1]


def _add_smaller(cell: Any, value: Any, _event: Event) -> Any:
    return value if cell is None or value < cell else cell


def _add_larger(cell: Any, value: Any, _event: Event) -> Any:
    return value if cell is None or value > cell else cell


def _add_earlier(cell: Any, value: Any, event: Event) -> Any:
    return [event.time, value] if cell is None or event.time < cell[0] else cell


def _add_later(cell: Any, value: Any, event: Event) -> Any:
    return [event.time, value] if cell is None or event.time >= cell[0] else cell


def _add_distinct(cell: Any, value: Any, _event: Event) -> Any:
    """A cell is one text, the keys between NULs: however many there are, they are read and written as one value."""
    if type(cell) is list:  # as states up to version 9 have it
        cell = _between_nuls(cell)
    key = _between_nuls([value_key(value)])
    return key if cell is None else cell if key in cell else cell + key[1:]


def _between_nuls(keys: Sequence[str]) -> str:
    """A key that has a NUL itself is known by its hash."""
    return "\0".join(["", *(hashed(key) if "\0" in key else key for key in keys), ""])


def _count_distinct(cells: Sequence[Any]) -> int:
    texts = [_between_nuls(cell) if type(cell) is list else cell for cell in cells]
    if len(texts) == 1:
        return texts[0].count("\0") - 1
    return len({key for text in texts for key in text.split("\0")[1:-1]})


def _sum(cells: Iterable[Any]) -> Any:
    return _finite(_storable(sum(cells)))


def _mean(cells: Iterable[Any]) -> Any:
    total, count = 0, 0
    for cell in cells:
        total += cell[0]
        count += cell[1]
    return _finite(total / count) if count else None


def _earliest(cells: list[Any]) -> Any:
    return min(cells, key=lambda cell: cell[0])[1] if cells else None


def _latest(cells: list[Any]) -> Any:
    return max(cells, key=lambda cell: cell[0])[1] if cells else None


def _dated(value: Any, at: int) -> Any:
    return [at, value]


def _finite(value: Any) -> Any:
    """Overflow is null, as everywhere in the language."""
    return None if type(value) is float and (value != value or value in (float("inf"), float("-inf"))) else value


AGGREGATES = {
    "count": Aggregate(
        "How many such events.", _add_number, sum, reads="events", type="integer", counts_up=True,
    ),
    "sum": Aggregate(
        "The sum of a prop of the events `of`.", _add_number, _sum, type="number", counts_up=True,
    ),
    "avg": Aggregate(
        "The mean of a prop.", _add_mean, _mean, lambda value, _at: [value, 1], type="number",
    ),
    "min": Aggregate(
        "The smallest value of a prop.", _add_smaller, lambda cells: min(cells, default=None), of_time=True,
    ),
    "max": Aggregate(
        "The greatest value of a prop.", _add_larger, lambda cells: max(cells, default=None), of_time=True,
    ),
    "distinct": Aggregate(
        "How many different values of a prop.",
        _add_distinct,
        _count_distinct,
        lambda value, _at: _between_nuls([f"seed {number}" for number in range(int(value))]),
        reads="values", type="integer", keeps="key", counts_up=True,
    ),
    "last": Aggregate(
        "The latest value of a prop, or `event.time`.",
        _add_later, _latest, _dated, reads="values", of_time=True, keeps="value",
    ),
    "first": Aggregate(
        "The earliest value of a prop, or `event.time`.",
        _add_earlier, _earliest, _dated, reads="values", of_time=True, keeps="value",
    ),
}  # fmt: skip
