"""Phrases: how conditions, steps and durations are said to people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kairos.engine.expression import Condition, Script, parse
from kairos.engine.expression.scope import Scope

_LONGEST_VALUE = 60
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def condition_values(condition: Condition, scope: Scope) -> str:
    """What speaks against a condition, and the values that it read: `amount >= 50 is false, amount is 20`."""
    if isinstance(condition, Script):
        return "the JavaScript condition is not true"
    told = parse(condition).explain(scope)
    if "not" not in condition.split():
        told = [(text, value) for text, value in told if value is not True]
    return ", ".join(f"{text} is {say_value(value)}" for text, value in told) or f"{condition} is not true"


def say_value(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=False, default=str)
    return said if len(said) <= _LONGEST_VALUE else said[: _LONGEST_VALUE - 1] + "…"


def name_steps(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def duration(ms: int) -> str:
    """`90s`, `24h`, `1500ms`: as it would be written in a rule."""
    for unit, size in _UNITS:
        if ms and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"
