"""workflow.yaml: names of steps, conditions of paths, and that each thing has its path."""

from __future__ import annotations

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.expressions import CONDITION, check_expression
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.text.report import Report, nearest
from kairos.engine.rule.workflow.facts import names
from kairos.engine.rule.workflow.steps import KINDS


def check_workflow(workflow: Value, world: World, report: Report) -> None:
    steps, paths = workflow.find("steps"), workflow.find("paths")
    for _, step in steps.items() if steps is not None else ():
        _check_kind(step, report)
    if steps is None or paths is None:
        return
    always: Value | None = None
    for path in paths.each():
        if always is not None:
            report.error(path.node, "never-taken", "nothing comes here: the path before has no 'when', so it takes all")
            return
        _check_path(path, steps, world, report)
        always = path if "when" not in path else None
    if always is None:
        hint = "end with a path without 'when', such as {then: [...]}"
        report.error(paths.node, "no-path", "paths: what none of these is true of has no path", hint)


def _check_kind(step: Value, report: Report) -> None:
    """`quorum` beside `wait` says nothing."""
    kind = next((name for name in KINDS if name in step), None)
    known = {field.name for field in KINDS[kind].FIELDS} if kind is not None else set()
    for key, node in step.keys.items():
        if kind is not None and key not in known:
            report.error(node, "wrong-form", f"'{key}' says nothing in a step with '{kind}'")


def _check_path(path: Value, steps: Value, world: World, report: Report) -> None:
    if condition := path.find("when"):
        check_expression(condition, "when", names(), world, report, CONDITION)
    then = path.find("then")
    seen: set[str] = set()
    for name in then.each() if then is not None else ():
        if name.data not in steps.keys:
            message = f"then: there is no step '{name.data}'"
            report.error(name.node, "unknown-step", message, nearest(name.data, steps.keys))
        elif name.data in seen:
            report.error(name.node, "duplicate", f"then: '{name.data}' stands here twice")
        seen.add(name.data)
