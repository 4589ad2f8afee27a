"""Metrics with a `per`: they have a value only where the activity's own `per` says which."""

from __future__ import annotations

from kairos.engine.rule.lint.expressions import Checked
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft


def check_per_metrics(draft: Draft, world: World, checked: list[Checked]) -> None:
    per = draft.activity.pattern.per
    for found in checked:
        for name, wanted in _read(found, world):
            if wanted != per:
                message = f"{found.field}: metric.{name} has one value per {wanted}; this activity has " + (
                    f"per: {per}" if per else "no `per` to say which"
                )
                found.report.error(found.value.node, "metric-per", message, f"trigger: {{per: {wanted}, ...}}")


def check_crowd_metrics(found: Checked, world: World) -> None:
    for name, wanted in _read(found, world):
        message = f"where: metric.{name} has one value per {wanted}; a crowd has none to say which"
        found.report.error(found.value.node, "metric-per", message, "use a metric without `per`")


def _read(found: Checked, world: World) -> list[tuple[str, str]]:
    """The metrics that an expression reads which have a `per`."""
    reads = found.expression.reads
    specs = [world.metrics[name] for name in sorted(reads.metrics | reads.priors) if name in world.metrics]
    return [(spec.name, spec.per) for spec in specs if spec.per is not None]
