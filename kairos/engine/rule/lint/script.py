"""Conditions in JavaScript."""

from __future__ import annotations

from kairos.engine.expression import Script
from kairos.engine.expression.javascript import check_script, script_reads
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.text.report import Report, nearest

_COST = "JavaScript costs a call into a sandbox for every event that reaches it, many times the price of an expression"


def check_script_value(value: Value, field: str, world: World, report: Report) -> None:
    """Compiles it (never runs it), and warns of its cost."""
    assert isinstance(value.data, Script)
    code = value.node.entries[0][1]
    if problem := check_script(value.data.js):
        report.inside(code, problem.offset, "error", problem.code, f"{field}: js: {problem.message}", problem.hint)
    for name in sorted(script_reads(value.data.js).metrics - (world.metric_names or frozenset())):
        if world.metric_names is not None:
            message = f"{field}: js: there is no metric '{name}': it is always undefined"
            report.warning(code, "unknown-metric", message, nearest(name, world.metric_names))
    report.warning(value.node, "script-cost", f"{field}: {_COST}", "prefer an expression where one can say it")
