"""Scalars by their declared type: the value, or what was wrong with it."""

from __future__ import annotations

import math
import re
from typing import Any

from kairos.engine.rule.fields.hints.concepts import synonym
from kairos.engine.rule.fields.hints.spellings import (
    clock_hint,
    duration_hint,
    moment_hint,
    number_hint,
    percent_hint,
    zone_hint,
)
from kairos.engine.rule.fields.types import (
    Boolean,
    Choice,
    Clock,
    Duration,
    Expression,
    Integer,
    Moment,
    Number,
    Percent,
    PositiveNumber,
    Text,
    TimeZone,
    Type,
)
from kairos.engine.rule.text import scalars
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import nearest


class Refused(Exception):
    """A scalar that its type does not take; `code` and `hint` for the finding."""

    def __init__(self, code: str = "bad-value", hint: str | None = None, expected: str | None = None) -> None:
        super().__init__()
        self.code, self.hint, self.expected = code, hint, expected


def read_scalar(node: Node, type_: Type) -> Any:
    """Raises Refused."""
    match type_:
        case Text():
            return _text(node, type_)
        case Choice():
            if node.text not in type_.values or node.kind == "null":
                raise Refused("bad-choice", synonym(node.text, type_.values) or nearest(node.text, type_.values))
            return node.text
        case Integer():
            return _integer(node, type_)
        case Number():
            if node.kind not in ("integer", "float") or not math.isfinite(node.value):
                raise Refused("bad-number")
            return float(node.value)
        case PositiveNumber():
            if node.kind not in ("integer", "float") or not 0 <= node.value < math.inf:
                raise Refused("bad-number")
            if node.value == 0 and not type_.zero:
                raise Refused("bad-number")
            return float(node.value)
        case Boolean():
            if node.kind != "boolean":
                raise Refused("bad-boolean", "write true or false" if node.text.lower() in _YES_NO else None)
            return node.value
        case Expression():
            if not node.text.strip():
                raise Refused("empty")
            return node.text
    return _spelt(node, type_)


_YES_NO = ("yes", "no", "on", "off", "y", "n", "1", "0", "true", "false")


def _text(node: Node, type_: Text) -> str:
    if node.kind == "null" and not node.text:
        raise Refused("empty")
    if node.kind != "text" and not (type_.loose and node.kind in ("integer", "float")):
        raise Refused("wrong-type", "put it into quotes if it is meant as text")
    if type_.pattern and not re.fullmatch(type_.pattern, node.text):
        raise Refused("bad-name", _renamed(node.text, type_.pattern))
    if not type_.shortest <= len(node.text) <= type_.longest:
        raise Refused("bad-length", None, f"{type_.expected} of {type_.shortest} to {type_.longest} characters")
    return node.text


def _renamed(text: str, pattern: str) -> str | None:
    """The nearest name that would do."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    name = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
    return f"for example {name}" if name and len(name) <= 60 and re.fullmatch(pattern, name) else None


def _integer(node: Node, type_: Integer) -> int:
    if node.kind != "integer":
        raise Refused("bad-number", number_hint(node.text, bool(node.style)))
    if node.value < type_.least or node.value > (type_.most if type_.most is not None else 2**53):
        raise Refused("out-of-range")
    value: int = node.value
    return value


def _spelt(node: Node, type_: Type) -> Any:
    match type_:
        case Duration():
            return _duration(node, type_)
        case Percent():
            value: Any = scalars.parse_percent(node.text)
            if value is None:
                raise Refused("bad-percentage", percent_hint(node.text, node.value))
            return value
        case Clock():
            value, hint = scalars.parse_clock(node.text), clock_hint(node.text)
        case Moment():
            value, hint = scalars.parse_moment(node.text), moment_hint(node.text)
        case TimeZone():
            value = node.text if node.kind == "text" and scalars.is_zone(node.text) else None
            if value is None:
                raise Refused("bad-timezone", zone_hint(node.text))
            return value
        case _:
            raise AssertionError(type_)
    if value is None:
        raise Refused("bad-time", hint)
    return value


def _duration(node: Node, type_: Duration) -> int:
    value = scalars.parse_duration(node.text)
    if value is None:
        raise Refused("bad-duration", duration_hint(node.text))
    if value > scalars.LONGEST or (value == 0 and not type_.zero):
        raise Refused("bad-duration")
    return value
