"""Every expression of a folder, checked where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kairos.engine.expression import Expression, ExpressionError, Names, Problem, Script, parse
from kairos.engine.expression.grammar import parse_tree
from kairos.engine.expression.history import asks_history
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint import scopes
from kairos.engine.rule.lint.script import check_script_value
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.model import MEASURED
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
        if names is not None and names.history is None and _meant_as_history(value.data):
            message = f"{field}: it asks for history, which only the warehouse has: 'refresh' is missing"
            hint = "a crowd with `refresh: 1d` is computed there" if names.bare else "refresh: 1d"
            report.error(value.node, "needs-refresh", message, hint)
            return None
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


def _meant_as_history(text: str) -> bool:
    try:
        return asks_history(parse_tree(text, history=True))
    except ExpressionError:
        return False


def _of_a_lost_file(problem: Problem, world: World) -> bool:
    """A file that cannot be read is reported once, not again for each name that it would have declared."""
    lost = {
        "unknown-metric": world.metric_names is None,
        "unknown-crowd": world.crowd_names is None,
        "unknown-coupon": world.coupon_names is None,
    }
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
    sends = draft.sends()
    filled = with_coupons(names, world) if sends or "journey" in source else names
    for place in (source, *(entry for _, entry in sends)):
        if data := place.find("data"):
            for name, value in data.items():
                yield check_expression(value, f"data.{name}", filled, world, report)
    for field, value in worth_in(source):
        yield check_expression(value, field, names, world, report, NUMBER)
    if activity.goal:
        goal = scopes.goal_names(activity.pattern, activity.goal.events, world) if draft.trigger.complete else None
        for field, types in (("where", CONDITION), ("value", NUMBER)):
            if value := source.find("goal", field):
                yield check_expression(value, field, goal, world, report, types)


def with_coupons(names: Names | None, world: World) -> Names | None:
    """Of what a message is filled in with: it takes codes too."""
    return names and replace(names, coupons=world.coupon_names or frozenset())


def worth_in(source: Value) -> Iterator[tuple[str, Value]]:
    """What of an activity's or a message's `worth` is an expression, and its name for people."""
    worth = source.find("worth")
    for name, value in worth.items() if worth else ():
        if isinstance(value.data, str) and value.data != MEASURED:
            yield f"worth.{name}", value


def check_metrics(values: Value, world: World, report: Report) -> Iterator[Checked]:
    for name, value in values.items():
        metric, where = world.metrics.get(name), value.find("where")
        if metric and where:
            found = check_expression(where, "where", scopes.metric_names(metric.of, world), world, report, CONDITION)
            if found is not None:
                yield found
        yield from _points(value.find("decay", "points"), world, report)


def _points(points: Value | None, world: World, report: Report) -> Iterator[Checked]:
    for type_, value in points.items() if points else ():
        if isinstance(value.data, str):
            names = scopes.metric_names((type_,), world)
            found = check_expression(value, f"points.{type_}", names, world, report, NUMBER)
            if found is not None:
                yield found
