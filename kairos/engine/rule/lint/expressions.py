"""Every expression of a folder, checked where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kairos.engine.expression import Expression, ExpressionError, Names, Problem, Script, parse
from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.lint import scopes
from kairos.engine.rule.lint.script import check_script_value
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import Report

CONDITION = ("boolean", "any")
NUMBER = ("number", "integer", "any")


@dataclass(frozen=True)
class Checked:
    """An expression that stands, and its place. `field` is the key under which it is written; `step`: inside a step."""

    expression: Expression
    value: Value
    field: str
    report: Report
    step: bool = False


def check_expression(
    value: Value, field: str, names: Names | None, world: World, report: Report, types: tuple[str, ...] = ()
) -> Checked | None:
    """Reports problems and warnings at their characters; `types`: what it must be (empty: anything)."""
    if isinstance(value.data, Script):
        check_script_value(value, field, world, report)
        return None
    try:
        expression = parse(value.data, names)
    except ExpressionError as error:
        for problem in error.problems:
            if not _of_a_lost_file(problem, world):
                report.inside(
                    value.node,
                    problem.offset,
                    "error",
                    problem.code,
                    f"{field}: {problem.message}",
                    _hint(problem, field),
                )
        return None
    for problem in expression.warnings:
        report.inside(value.node, problem.offset, "warning", problem.code, f"{field}: {problem.message}", problem.hint)
    if types and expression.type not in types:
        wanted = "a condition (true or false)" if types is CONDITION else "a number"
        report.error(value.node, "type-mismatch", f"{field}: expected {wanted}, found {_article(expression.type)}")
    return Checked(expression, value, field, report)


def _of_a_lost_file(problem: Problem, world: World) -> bool:
    """A file that cannot be read is reported once, not again for each name that it would have declared."""
    lost = {"unknown-metric": world.metric_names is None, "unknown-crowd": world.crowd_names is None}
    return lost.get(problem.code, False)


def _hint(problem: Problem, field: str) -> str | None:
    if field.startswith("data.") and problem.code in ("unknown-prop", "expression-syntax"):
        return f"{problem.hint + '; ' if problem.hint else ''}text is quoted twice: '\"...\"'"
    return problem.hint


def _article(type_: str) -> str:
    said = {"string": "text", "integer": "a number", "object": "an object", "null": "null"}
    return said.get(type_, f"a {type_}")


def check_activity(draft: Draft, world: World) -> Iterator[Checked]:
    """All expressions of one activity. With a broken trigger only their grammar is checked: names would be guesses."""
    found = [*_steps(draft, world), *_after_the_match(draft, world)]
    yield from (checked for checked in found if checked is not None)


def _steps(draft: Draft, world: World) -> Iterator[Checked | None]:
    pattern, complete = draft.activity.pattern, draft.trigger.complete
    makers: tuple[tuple[str, Callable[..., Names]], ...] = (("where", scopes.step_names), ("until", scopes.until_names))
    for index, source in enumerate(draft.trigger.sources):
        for field, names in makers:
            if value := source.find(field):
                scope = names(pattern, index, world) if complete else None
                checked = check_expression(value, field, scope, world, draft.report, CONDITION)
                yield replace(checked, step=True) if checked else None


def _after_the_match(draft: Draft, world: World) -> Iterator[Checked | None]:
    source, report, activity = draft.source, draft.report, draft.activity
    names = scopes.match_names(activity.pattern, world) if draft.trigger.complete else None
    if value := source.find("audience", "where"):
        yield check_expression(value, "where", names, world, report, CONDITION)
    for place in (source, *(entry for _, entry in draft.sends())):
        if data := place.find("data"):
            for name, value in data.items():
                yield check_expression(value, f"data.{name}", names, world, report)
    if activity.goal:
        goal = scopes.goal_names(activity.pattern, activity.goal.events, world) if draft.trigger.complete else None
        for field, types in (("where", CONDITION), ("value", NUMBER)):
            if value := source.find("goal", field):
                yield check_expression(value, field, goal, world, report, types)


def check_metrics(values: Value, world: World, report: Report) -> Iterator[Checked]:
    for name, value in values.items():
        metric, where = world.metrics.get(name), value.find("where")
        if metric and where:
            found = check_expression(where, "where", scopes.metric_names(metric.of, world), world, report, CONDITION)
            if found is not None:
                yield found


def check_crowds(values: Value, world: World, report: Report) -> Iterator[tuple[str, Checked]]:
    """(crowd, expression): nested rule crowds belong to the named crowd that holds them."""
    names = scopes.crowd_names(world)
    for name, value in values.items():
        for where in _wheres(value):
            if found := check_expression(where, "where", names, world, report, CONDITION):
                for prior in sorted(found.expression.reads.priors):
                    message = f"where: prior.{prior} is a metric before an event; a crowd has no event"
                    report.error(where.node, "no-event", message, f"metric.{prior}")
                yield name, found


def _wheres(crowd: Value) -> Iterator[Value]:
    if not isinstance(crowd.data, dict):
        return
    if where := crowd.find("where"):
        yield where
    for operation in ("union", "intersect", "difference"):
        if parts := crowd.find(operation):
            for part in parts.each():
                yield from _wheres(part)
