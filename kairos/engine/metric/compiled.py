"""A metric ready to run: what the engine sees of each kind."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.event import Event
from kairos.engine.metric.collected import CollectedMetric
from kairos.engine.metric.decaying import DecayingMetric
from kairos.engine.metric.spec import Metric
from kairos.engine.metric.window import WindowedMetric

Cells = dict[Any, Any]
"""What is kept of one metric, and one value of its `per`. Empty: nothing has happened."""
_LATER = ("collect", "decay")
_UTC = ZoneInfo("UTC")


class MetricKind(Protocol):
    """Works on the cells of one user; they are changed in place. Times are epoch ms."""

    def add(self, cells: Cells, event: Event) -> int:
        """Take the event in; how many bytes that may have added."""
        ...

    def value(self, cells: Cells | None, now: int) -> Any: ...

    def lapses_at(self, cells: Cells) -> int | None:
        """From when on they are as good as none; None: never."""
        ...

    def seeded(self, value: Any, at: int) -> Cells:
        """Cells whose value is this at that time, as if one event had made it so."""
        ...


class CompiledMetric:
    """`key` names its state: another definition under the same name starts anew. `zone`: whose days are counted."""

    def __init__(self, spec: Metric, zone: ZoneInfo = _UTC) -> None:
        self.spec = spec
        self.name = spec.name
        self.per = spec.per
        self.window = spec.window
        self.key = metric_key(spec)
        self.kind = _kind_of(spec, zone)
        self.add, self.value = self.kind.add, self.kind.value

    def lapses_at(self, stored: dict[Any, Any]) -> int | None:
        """Of all that is kept of a user under this key."""
        if self.per is None:
            return self.kind.lapses_at(stored)
        ends = [self.kind.lapses_at(cells) for cells in stored.values()]
        return None if None in ends else max((end for end in ends if end is not None), default=0)

    def lapsed(self, cells: Cells, now: int) -> bool:
        """Nothing in it counts any more, nor ever will."""
        end = self.kind.lapses_at(cells)
        return end is not None and end <= now


def metric_key(spec: Metric) -> str:
    """A field that came later counts where it says something."""
    told = {name: value for name, value in msgspec.to_builtins(spec).items() if name not in _LATER or value is not None}
    return f"{spec.name}@{hashlib.blake2b(msgspec.json.encode(told), digest_size=4).hexdigest()}"


def _kind_of(spec: Metric, zone: ZoneInfo) -> MetricKind:
    if spec.collect is not None:
        return CollectedMetric(spec.collect, spec.window)
    if spec.decay is not None:
        return DecayingMetric(spec.decay, zone)
    return WindowedMetric(spec)
