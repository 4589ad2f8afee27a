"""JavaScript conditions: how they are checked, and what a script sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from kairos.engine.event import Event
from kairos.engine.expression.condition import Condition, Script
from kairos.engine.expression.expression import parse
from kairos.engine.expression.problem import ExpressionError, Problem
from kairos.engine.expression.reads import Reads
from kairos.engine.expression.scope import Scope
from kairos.sandbox import JavaScript
from kairos.sandbox.syntax import syntax_error

MAX_LENGTH = 10_000
ALL = "*"  # in Reads: any prop may be read, for a script can compute its name

_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_METRIC = re.compile(r"""\bmetric\s*(?:\??\.\s*([a-z]\w*)|\[\s*["'`]([a-z]\w*)["'`]\s*\])""")
_ASYNC = re.compile(r"(?<![.\w$])(async|import)(?![\w$])")
_OWN_NAMES = frozenset({"event", "profile", "metric"})
_KEYWORDS = """await break case catch class const continue debugger default delete do else enum export extends false
finally for function if implements import in instanceof interface let new null package private protected public return
static super switch this throw true try typeof var void while with yield arguments eval"""
_RESERVED = frozenset(_KEYWORDS.split())  # a step of such a name cannot be a variable


def check_script(source: str) -> Problem | None:
    """The syntax error of a script, found without running any of it."""
    if len(source) > MAX_LENGTH:
        return Problem(0, "script-too-long", f"the script has {len(source)} characters; the limit is {MAX_LENGTH}")
    if not source.strip():
        return Problem(0, "script-syntax", "the JavaScript is empty")
    if _ASYNC.search(source):
        return Problem(
            0, "script-async", "JavaScript conditions answer at once: 'async' and 'import' have no place in them"
        )
    error = _syntax_error(source)
    return Problem(0, "script-syntax", f"JavaScript syntax error: {error}") if error else None


@cache
def _syntax_error(source: str) -> str | None:
    """In both kinds of brackets: a text that closes one of them is no expression."""
    return syntax_error([f"return ({source}\n)", f"return [{source}\n]"])


def script_reads(source: str) -> Reads:
    """A superset of what the script can read: every name in it may be a step, and all props of its events are kept."""
    words = frozenset(_IDENTIFIER.findall(source)) - _OWN_NAMES - _RESERVED
    return Reads(
        props=frozenset({ALL}),
        steps={word: frozenset({ALL}) for word in words},
        event_fields=frozenset({"id", "type", "time", "source"}),
        profile=frozenset({ALL}),
        metrics=_metrics(source),
    )


def _metrics(source: str) -> frozenset[str]:
    """Metrics are read by name, `metric.x` or `metric["x"]`: asking for every metric would cost too much."""
    return frozenset(dotted or quoted for dotted, quoted in _METRIC.findall(source))


def compile_condition(condition: Condition, js: JavaScript | None) -> Callable[[Scope], bool]:
    """A condition as a function of the scope. `js` is needed for scripts only. Raises ExpressionError."""
    if not isinstance(condition, Script):
        return parse(condition).predicate()
    problem = check_script(condition.js)
    if problem:
        raise ExpressionError([problem])
    if js is None:
        raise ValueError("a JavaScript condition needs a sandbox")
    return _compile_script(condition.js, js)


def _compile_script(source: str, js: JavaScript) -> Callable[[Scope], bool]:
    metrics = sorted(_metrics(source))
    steps = sorted(script_reads(source).steps)

    def ask(scope: Scope) -> bool:
        values: dict[str, Any] = {step: _step(scope.steps[step]) for step in steps if scope.steps.get(step)}
        values["event"] = None if scope.event is None else _event(scope.event) | {"props": scope.props}
        values["profile"] = scope.profile
        values["metric"] = {name: scope.metric(name) for name in metrics}
        return js.ask(source, values)

    return ask


def _event(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "user_id": event.user_id,
        "time": event.time,
        "source": event.source,
        "props": event.props,
    }


def _step(taken: Sequence[Event]) -> dict[str, Any]:
    """The last event that the step took; `all` has every one."""
    return _event(taken[-1]) | {"all": [_event(event) for event in taken]}
