"""Metrics with a `per`: they have a value only where the activity's own `per` says which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kairos.engine.expression.tree import Field, walk
from kairos.engine.rule.lint.expressions import Checked
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft


def check_per_metrics(draft: Draft, world: World, checked: list[Checked]) -> None:
    """Without a `per` there is no value to read; one of another name may hold the same thing, or may not."""
    per = draft.activity.pattern.per
    for found in checked:
        for field, wanted in _reads(found, world):
            value = f"metric.{field.name} has one value per {wanted}"
            if per is None:
                message = f"{value}; this activity has no `per` to say which"
                _report(found, field, "error", message, f"trigger: {{per: {wanted}, ...}}")
            elif wanted != per:
                message = f"{value}; it is read for the {per} of this activity"
                _report(found, field, "warning", message, f"is every {per} a {wanted}?")


def check_crowd_metrics(found: Checked, world: World) -> None:
    for field, wanted in _reads(found, world):
        message = f"metric.{field.name} has one value per {wanted}; a crowd has none to say which"
        _report(found, field, "error", message, "use a metric without `per`")


def _report(found: Checked, field: Field, level: Literal["error", "warning"], message: str, hint: str) -> None:
    found.report.inside(found.value.node, field.start, level, "metric-per", f"{found.field}: {message}", hint)


def _reads(found: Checked, world: World) -> Iterator[tuple[Field, str]]:
    """Where an expression reads a metric that has a `per`, and that `per`."""
    for node in walk(found.expression.tree):
        if isinstance(node, Field) and node.root in ("metric", "prior"):
            metric = world.metrics.get(node.name)
            if metric is not None and metric.per is not None:
                yield node, metric.per
