"""Phrases: how conditions, steps and durations are said to people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kairos.engine.decision import Choice, Rival
from kairos.engine.expression import Condition, Script, parse
from kairos.engine.expression.scope import Scope

_LONGEST_VALUE = 60


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


def tell_choice(activity: str, choice: Choice, ghost: bool) -> str:
    """Why it won or lost in its group: `wins offers: 2.75 > 1.6 (call), 1.45 (reminder)`."""
    of = " (in the control group: it is compared, and gets nothing)" if ghost else ""
    if choice.score is None:
        return f"is worth nothing in {choice.group}: its score cannot be told{of}"
    score = f"{choice.score:g}"
    if not choice.candidates:
        return f"is worth nothing in {choice.group}: {score} is below the floor{of}"
    if not choice.won and choice.taken is not None:
        return f"loses in {choice.group} with {score}: no slot is free since the last win{of}"
    if not choice.won:
        best = [rival for rival in choice.candidates if rival.score >= choice.score and rival.activity != activity]
        against = f" {score} < {_rivals(best)}" if best else f" {score}, and chance chose another"
        return f"loses in {choice.group}:{against}{of}"
    others = [rival for rival in choice.candidates if rival.activity != activity]
    if not others:
        return f"wins {choice.group} with {score}: there is no other{of}"
    if others[0].score > choice.score:
        return f"wins {choice.group} by chance (p {choice.p:g}): {score}, beside {_rivals(others)}{of}"
    return f"wins {choice.group}: {score} {'=' if others[0].score == choice.score else '>'} {_rivals(others)}{of}"


def _rivals(rivals: Sequence[Rival]) -> str:
    return ", ".join(f"{rival.score:g} ({rival.activity})" for rival in rivals)
