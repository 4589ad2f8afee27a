"""Functions whose arguments are not expressions of their own: `clicked(hello)`, `coupon("spring")`, `sum(step.prop)`.

Each call becomes a node here; one that is written in another way raises Refused.
"""

from __future__ import annotations

import ast

from kairos.engine.expression.foreign import Refused
from kairos.engine.expression.functions import COUPON, FUNCTIONS, PROGRESS
from kairos.engine.expression.mistakes import function_hint
from kairos.engine.expression.regex import regex_error
from kairos.engine.expression.tree import Aggregate, Code, Comparison, Literal, Node, Progress, StepProp


def progress(name: str, node: ast.Call, start: int, end: int) -> Node:
    """`clicked(hello)`: whether the message `hello` of the journey has come that far."""
    if node.keywords or len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
        message = f"{name}() takes the id of a message of the journey: {name}(hello)"
        raise Refused(start, message, code="argument-type")
    sign, least, _ = PROGRESS[name]
    asked = Progress(start, end, node.args[0].id)
    return Comparison(start, end, asked, ((sign, Literal(start, end, least)),))


def code(node: ast.Call, start: int, end: int) -> Node:
    """`coupon("spring")`: a code of this pool."""
    match node:
        case ast.Call(args=[ast.Constant(value=str() as pool)], keywords=[]):
            return Code(start, end, pool)
    message = f"{COUPON}() takes the name of a pool in quotes"
    raise Refused(start, message, f'{COUPON}("spring")', code="argument-type")


def as_function(method: ast.expr) -> str | None:
    """How a method of another language, `title.contains("x")`, is written here. None: nothing is like it."""
    name = method.attr if isinstance(method, ast.Attribute) else ""
    if name in FUNCTIONS:
        return f"write {name}(x{', ..' if FUNCTIONS[name].most > 1 else ''})"
    return function_hint(name)


def require_text(name: str, argument: Node) -> None:
    """Raises Refused where the argument (a regular expression, the name of a crowd) is not text in quotes."""
    if not (isinstance(argument, Literal) and isinstance(argument.value, str)):
        message = f"{name}() takes text in quotes there: it must be known beforehand"
        raise Refused(argument.start, message, code="argument-type")
    error = regex_error(argument.value) if name == "matches" else None
    if error:
        raise Refused(argument.start, f"not a regular expression (RE2): {error}", code="bad-regex")


def aggregate(name: str, arguments: tuple[Node, ...], start: int, end: int) -> Node:
    """`sum(step.prop)`: over all events that the step has taken."""
    match arguments:
        case (StepProp(step=step, prop=prop, which="last"),):
            return Aggregate(start, end, name, step, prop)  # type: ignore[arg-type]  # of AGGREGATES
    raise Refused(start, f"{name}() takes one prop of a step: {name}(step.prop)", code="argument-type")
