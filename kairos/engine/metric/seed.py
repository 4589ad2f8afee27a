"""State of a metric that starts with a given value, for examples: as if one event before the start had made it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kairos.engine.metric.window import Cells, WindowedMetric


def seed_cells(metric: WindowedMetric, value: Any, at: int) -> Cells | dict[str, Cells]:
    """What `metric` keeps for a user whose value is `value` at `at` (ms); with `per`, a mapping by its values.

    The value slides out of the window as if it had come about at `at`.
    """
    pane = metric.pane(at)
    if metric.per is None:
        return {pane: _cell(metric, value, at)}
    parts = value if isinstance(value, Mapping) else {}
    return {f"s{part}": {pane: _cell(metric, part_value, at)} for part, part_value in parts.items()}


def _cell(metric: WindowedMetric, value: Any, at: int) -> Any:
    match metric.spec.function:
        case "avg":
            return [value, 1]
        case "first" | "last":
            return [at, value]
        case "distinct":
            return [f"seed {number}" for number in range(int(value))]
        case _:
            return value
