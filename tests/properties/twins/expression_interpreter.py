"""The slow, obvious twin of the compiled expressions: walks the tree, one rule of the language a line."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from kairos.engine.expression.scope import Scope
from kairos.engine.expression.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Field,
    Inside,
    ListOf,
    Literal,
    Logic,
    Node,
    Not,
    Prop,
    Sign,
    StepCount,
    StepProp,
)

NUMBER, TEXT, BOOLEAN, LIST, OBJECT, NULL = "number", "text", "boolean", "list", "object", "null"


def kind(value: Any) -> str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    return {str: TEXT, list: LIST, dict: OBJECT}[type(value)]


def evaluate(node: Node, scope: Scope) -> Any:
    match node:
        case Literal(value=value):
            return value
        case ListOf(items=items):
            return [evaluate(item, scope) for item in items]
        case Prop(name=name):
            return scope.props.get(name)
        case StepProp(step=step, prop=prop, which=which):
            if step not in scope.steps and which == "last":
                return inside(scope.props, [step, prop])
            taken = list(scope.steps.get(step, ()))
            return taken[0 if which == "first" else -1].props.get(prop) if taken else None
        case Inside(value=value, path=path):
            return inside(evaluate(value, scope), path)
        case StepCount(step=step):
            return len(scope.steps.get(step, ()))
        case Aggregate(function=function, step=step, prop=prop):
            return aggregate(function, [event.props.get(prop) for event in scope.steps.get(step, ())])
        case Field(root="event", name=name):
            return getattr(scope.event, name) if scope.event else None
        case Field(root="profile", name=name):
            return scope.profile.get(name)
        case Field(root=root, name=name):
            return (scope.metric if root == "metric" else scope.prior)(name)
        case Logic(operator="and", operands=operands):
            return all(evaluate(operand, scope) is True for operand in operands)
        case Logic(operands=operands):
            return any(evaluate(operand, scope) is True for operand in operands)
        case Not(operand=operand):
            return evaluate(operand, scope) is not True
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return evaluate(then if evaluate(condition, scope) is True else otherwise, scope)
        case Comparison(first=first, rest=rest):
            values = [evaluate(operand, scope) for operand in (first, *(operand for _, operand in rest))]
            return all(compare(a, sign, b) for a, (sign, _), b in zip(values, rest, values[1:], strict=False))
        case Arithmetic(first=first, rest=rest):
            value = evaluate(first, scope)
            for sign, operand in rest:
                value = calculate(value, sign, evaluate(operand, scope))
            return value
        case Sign(operator=sign, operand=operand):
            return calculate(0, sign, evaluate(operand, scope))
        case Call(function=function, arguments=arguments):
            return call(function, [evaluate(argument, scope) for argument in arguments], scope)
    raise AssertionError(node)


def inside(value: Any, path: Sequence[str]) -> Any:
    for key in path:
        if kind(value) == OBJECT:
            value = value.get(key)
        elif kind(value) == LIST and key.isdigit():
            value = dict(enumerate(value)).get(int(key))
        else:
            return None
    return value


def same(a: Any, b: Any) -> bool:
    if kind(a) != kind(b):
        return False
    if kind(a) == LIST:
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if kind(a) == OBJECT:
        return sorted(a) == sorted(b) and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def compare(a: Any, sign: str, b: Any) -> bool:
    if sign in ("in", "not in"):
        if a is None or not (kind(b) == LIST or kind(a) == kind(b) == TEXT):
            return False
        found = any(same(a, element) for element in b) if kind(b) == LIST else a in b
        return found if sign == "in" else not found
    if a is None or b is None or kind(a) != kind(b):
        return False
    if sign in ("==", "!="):
        return same(a, b) == (sign == "==")
    if kind(a) not in (NUMBER, TEXT):
        return False
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign])


def valid(value: Any) -> Any:
    """Numbers beyond 64-bit integers and doubles are null."""
    if kind(value) != NUMBER:
        return None
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    return value if math.isfinite(value) else None


def calculate(a: Any, sign: str, b: Any) -> Any:
    a, b = valid(a), valid(b)
    if a is None or b is None or (sign in "/%" and b == 0):
        return None
    try:
        if sign == "+":
            return valid(a + b)
        if sign == "-":
            return valid(a - b)
        if sign == "*":
            return valid(a * b)
        return valid(a / b if sign == "/" else a % b)
    except OverflowError:
        return None


def aggregate(function: str, values: list[Any]) -> Any:
    numbers = [value for value in values if valid(value) is not None]
    if function == "sum":
        return valid(sum(numbers))
    if not numbers:
        return None
    if function == "avg":
        return valid(sum(numbers) / len(numbers))
    return min(numbers) if function == "min" else max(numbers)


def call(function: str, arguments: list[Any], scope: Scope) -> Any:
    a = arguments[0]
    second = arguments[1] if len(arguments) > 1 else None
    match function:
        case "exists":
            return a is not None
        case "coalesce":
            return next((value for value in arguments if value is not None), None)
        case "len":
            return len(a) if kind(a) in (TEXT, LIST, OBJECT) else None
        case "lower" | "upper":
            return getattr(a, function)() if kind(a) == TEXT else None
        case "contains":
            return compare(second, "in", a)
        case "starts_with" | "ends_with":
            if not kind(a) == kind(second) == TEXT or len(second) > len(a):
                return False
            return (a[: len(second)] if function == "starts_with" else a[len(a) - len(second) :]) == second
        case "matches":
            return kind(a) == TEXT and re.search(second, a) is not None
        case "abs":
            return valid(abs(a)) if valid(a) is not None else None
        case "round":
            return rounded(a, arguments[1:])
        case "in_crowd":
            return scope.in_crowd(a) is True
        case "hour" | "weekday" | "date" | "days_since":
            return of_time(function, a, scope)
    raise AssertionError(function)


def rounded(value: Any, digits: list[Any]) -> Any:
    if valid(value) is None:
        return None
    if not digits:
        return valid(round(Fraction(value)))
    if not isinstance(digits[0], int) or isinstance(digits[0], bool) or not 0 <= digits[0] <= 15:
        return None
    return valid(round(value, digits[0]))


def of_time(function: str, value: Any, scope: Scope) -> Any:
    """Only for epoch ms, of years that have four digits: texts have tests of their own."""
    if kind(value) != NUMBER or not -60_000_000_000_000 < value < 253_000_000_000_000:
        return None
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    local = (epoch + timedelta(milliseconds=value)).astimezone(scope.zone)
    now = (epoch + timedelta(milliseconds=scope.now)).astimezone(scope.zone)
    if function == "hour":
        return local.hour
    if function == "weekday":
        return local.isoweekday() - 1
    if function == "date":
        return local.strftime("%Y-%m-%d")
    return math.floor((now.replace(tzinfo=None) - local.replace(tzinfo=None)).total_seconds() / 86_400)
