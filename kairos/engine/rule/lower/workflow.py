"""workflow.yaml becomes a workflow."""

from __future__ import annotations

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.workflow.spec import Path, Step, Workflow
from kairos.engine.rule.workflow.steps import KINDS


def lower_workflow(value: Value) -> Workflow:
    """The value is whole: nothing of it is broken."""
    steps = {name: _step(step) for name, step in value["steps"].items()}
    return Workflow(steps, tuple(Path(path.plain("when"), tuple(path.plain("then"))) for path in value["paths"].each()))


def _step(value: Value) -> Step:
    kind = next(name for name in KINDS if name in value)
    return Step(kind, {field.name: value.plain(field.name) for field in KINDS[kind].FIELDS})
