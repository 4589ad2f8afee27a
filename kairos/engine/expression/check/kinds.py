"""Types as declared and inferred, the kinds of values that they can have, and how to say them."""

from __future__ import annotations

from kairos.engine.expression.tree import Call, Literal, Node

# The kinds of values that a type can have at run time; a time is epoch ms or ISO text.
_EVERY = frozenset({"number", "text", "boolean", "list", "object"})
KINDS: dict[str, frozenset[str]] = {
    "number": frozenset({"number"}),
    "integer": frozenset({"number"}),
    "string": frozenset({"text"}),
    "date": frozenset({"text"}),
    "time": frozenset({"number", "text"}),
    "boolean": frozenset({"boolean"}),
    "list": frozenset({"list"}),
    "object": frozenset({"object"}),
    "null": frozenset(),
    "any": _EVERY,
    # what functions take, beside the types of values
    "sized": frozenset({"text", "list", "object"}),
    "container": frozenset({"text", "list"}),
}
_SAID = {
    "number": "a number", "integer": "a number", "string": "text", "date": "a date (text)", "time": "a time",
    "boolean": "a boolean", "list": "a list", "object": "an object", "null": "null", "any": "anything",
    "sized": "text or a list", "container": "text or a list",
}  # fmt: skip


def said(type_: str) -> str:
    """The type in words, with its article."""
    return _SAID[type_]


def type_of_value(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "number"
    return "string"


def common(types: list[str]) -> str:
    """One type for values of several: null fits everywhere."""
    kinds = set(types) - {"null"}
    if len(kinds) == 1:
        return kinds.pop()
    return "number" if kinds == {"integer", "number"} else "any"


def other_type_hint(*operands: Node) -> str | None:
    """What is meant by two that are never equal."""
    for node in operands:
        if isinstance(node, Call) and node.function == "weekday":
            return "weekday(t) is a number: 0 is Monday, 6 is Sunday"
    text = next((node.value for node in operands if isinstance(node, Literal) and isinstance(node.value, str)), "")
    if text.strip().replace(".", "", 1).isdecimal():
        return f"a number stands without quotes: {text.strip()}"
    return f"without quotes: {text.lower()}" if text.lower() in ("true", "false") else None
