"""State of a metric that starts with a given value, for examples: as if one event before the start had made it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kairos.engine.metric.compiled import Cells, CompiledMetric


def seed_cells(metric: CompiledMetric, value: Any, at: int) -> Cells | dict[str, Cells]:
    """What `metric` keeps for a user whose value is `value` at `at` (ms); with `per`, a mapping by its values.

    The value goes the way of one that had come about at `at`.
    """
    if metric.per is None:
        return metric.kind.seeded(value, at)
    parts = value if isinstance(value, Mapping) else {}
    return {f"s{part}": metric.kind.seeded(part_value, at) for part, part_value in parts.items()}
