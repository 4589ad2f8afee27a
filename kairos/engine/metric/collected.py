"""`collect`: the newest events of the window, each as a record of some of its props, newest last.

State is one list of (time, values in the order of the fields), at most `max` long. The window is exact: (now - W, now].
"""

from __future__ import annotations

from typing import Any

from kairos.engine.event import Event
from kairos.engine.metric.spec import Collect
from kairos.engine.size import size_of

MOST_BYTES = 4_096
"""Of one value; a larger one is null."""
Cells = dict[Any, Any]


class CollectedMetric:
    def __init__(self, spec: Collect, window: int | None) -> None:
        self._fields, self._most, self._window = spec.fields, spec.most, window

    def add(self, cells: Cells, event: Event) -> int:
        """One that comes late stands where it would have stood."""
        kept = cells.setdefault(0, [])
        values = [_kept(event.props.get(field)) for field in self._fields]
        place = len(kept)
        while place and kept[place - 1][0] > event.time:
            place -= 1
        kept.insert(place, [event.time, values])
        newest = kept[-1][0]
        kept[:] = [entry for entry in kept if self._counts(entry[0], newest)][-self._most :]
        return size_of(values)

    def value(self, cells: Cells | None, now: int) -> list[dict[str, Any]]:
        kept = (cells or {}).get(0, [])
        return [dict(zip(self._fields, values, strict=True)) for time, values in kept if self._counts(time, now)]

    def lapses_at(self, cells: Cells) -> int | None:
        return None if self._window is None else max((time for time, _ in cells.get(0, [])), default=0) + self._window

    def seeded(self, value: Any, at: int) -> Cells:
        records = value if isinstance(value, list) else []
        return {
            0: [[at, [record.get(field) for field in self._fields]] for record in records if isinstance(record, dict)]
        }

    def _counts(self, time: int, now: int) -> bool:
        return self._window is None or time > now - self._window


def _kept(value: Any) -> Any:
    return value if size_of(value) <= MOST_BYTES else None
