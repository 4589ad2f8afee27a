"""Gate 9: a template never goes out with a hole in it."""

from __future__ import annotations

from typing import Any

from kairos.engine.expression.scope import Scope
from kairos.engine.gate.question import Question, Verdict, suppress
from kairos.engine.rule.compiled import CompiledSend


def content(q: Question) -> Verdict | None:
    send = q.entries[0][1]
    values = template_values(send, q.scope)
    return suppress("missing_value") if any(values[name] is None for name in send.required) else None


def template_values(send: CompiledSend, scope: Scope) -> dict[str, Any]:
    """The values of the template's variables, by their path: a name of `data`, or `profile.x`."""
    values: dict[str, Any] = {}
    for path in send.variables:
        if path.startswith("profile."):
            values[path] = scope.profile.get(path.removeprefix("profile."))
        else:
            value = send.data.get(path)
            values[path] = None if value is None else value(scope)
    return values
