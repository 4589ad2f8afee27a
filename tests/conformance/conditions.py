"""Conditions of the conformance tests: JSON lists, understood here and by FlinkOracle.java alike.

An operator and its operands, asked of an event with the props `name` (text) and `x` (integer); `step` operands name a
step whose events the run has taken so far.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from kairos.engine.event import Event
from kairos.engine.expression.condition import Condition
from kairos.engine.expression.scope import Scope

Holds = Callable[[Scope], bool]


def compile_condition(condition: Condition) -> Holds:
    """What `compile_pattern` asks for; the condition's text is JSON."""
    assert isinstance(condition, str)
    return _compile(json.loads(condition))


def _compile(parts: list[Any]) -> Holds:
    operator, *operands = parts
    if operator == "all":
        inner = [_compile(part) for part in operands]
        return lambda scope: all(holds(scope) for holds in inner)
    return _OPERATORS[operator](*operands)


def _x(scope: Scope) -> int:
    value = scope.props["x"]
    assert isinstance(value, int)
    return value


def _taken(scope: Scope, step: str) -> Sequence[Event]:
    return scope.steps.get(step, ())


def _sum(scope: Scope, step: str) -> int:
    return sum(event.props["x"] for event in _taken(scope, step))


_OPERATORS: dict[str, Callable[..., Holds]] = {
    "name": lambda *names: lambda scope: scope.props["name"] in names,
    "ge": lambda operand: lambda scope: _x(scope) >= operand,
    "gt": lambda operand: lambda scope: _x(scope) > operand,
    "eq": lambda operand: lambda scope: _x(scope) == operand,
    "count_lt": lambda step, operand: lambda scope: len(_taken(scope, step)) < operand,
    "count_eq": lambda step, operand: lambda scope: len(_taken(scope, step)) == operand,
    "sum_lt": lambda step, operand: lambda scope: _sum(scope, step) + _x(scope) < operand,
    "sum_eq": lambda step, operand: lambda scope: _sum(scope, step) == operand,
    "sum_ge": lambda step, operand: lambda scope: _sum(scope, step) >= operand,
    "gt_last": lambda step: lambda scope: bool(_taken(scope, step)) and _x(scope) > _taken(scope, step)[-1].props["x"],
    "same_x": lambda step: lambda scope: bool(_taken(scope, step)) and _x(scope) == _taken(scope, step)[0].props["x"],
}
