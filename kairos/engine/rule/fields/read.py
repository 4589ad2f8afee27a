"""The one reader: a node and its declared type in, a located value out, findings on the way."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

from kairos.engine.expression.condition import Script
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Anything,
    Boolean,
    Choice,
    Clock,
    Duration,
    Expression,
    Integer,
    ListOf,
    MapOf,
    Moment,
    Named,
    OneOf,
    Percent,
    PositiveNumber,
    Record,
    Text,
    TimeZone,
    Type,
)
from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.text import scalars
from kairos.engine.rule.text.nodes import KINDS, Node
from kairos.engine.rule.text.report import Report, listed, nearest, shown


class _Refused(Exception):
    """A scalar that its type does not take; `code` and `hint` for the finding."""

    def __init__(self, code: str = "bad-value", hint: str | None = None, expected: str | None = None) -> None:
        super().__init__()
        self.code, self.hint, self.expected = code, hint, expected


def read(node: Node, type_: Type, report: Report, name: str) -> Value | None:
    """The value of `node` as `type_`; None (and a finding that calls it `name`) if it is not one."""
    match type_:
        case Named():
            return read(node, type_.get(), report, name)
        case Record():
            return _record(node, type_, report, name)
        case MapOf():
            return _map(node, type_, report, name)
        case ListOf():
            return _list(node, type_, report, name)
        case OneOf():
            return _one_of(node, type_, report, name)
        case Anything():
            return _anything(node, type_, report, name)
        case Expression() if type_.script and node.kind == "mapping":
            return _script(node, type_, report, name)
    if not node.is_scalar:
        _wrong_kind(node, type_, report, name, _not_an_expression(node) if isinstance(type_, Expression) else None)
        return None
    try:
        return Value(node, type_, _scalar(node, type_))
    except _Refused as refused:
        found = shown(node.text) if node.text or node.style else KINDS["null"]
        expected = refused.expected or type_.expected
        report.error(node, refused.code, f"{name}: expected {expected}, found {found}", refused.hint)
        return None


def _not_an_expression(node: Node) -> str:
    if any(key.text == "js" for key, _ in node.entries):
        return "JavaScript has no place here: it is for the conditions of an activity"
    return "put it into quotes as a whole"


def _wrong_kind(node: Node, type_: Type, report: Report, name: str, hint: str | None = None) -> None:
    report.error(node, "wrong-type", f"{name}: expected {type_.expected}, found {_found(node)}", hint)


def _scalar(node: Node, type_: Type) -> Any:
    match type_:
        case Text():
            return _text(node, type_)
        case Choice():
            if node.text not in type_.values or node.kind == "null":
                raise _Refused("bad-choice", nearest(node.text, type_.values))
            return node.text
        case Integer():
            return _integer(node, type_)
        case PositiveNumber():
            if node.kind not in ("integer", "float") or not 0 < node.value < math.inf:
                raise _Refused("bad-number")
            return float(node.value)
        case Boolean():
            if node.kind != "boolean":
                raise _Refused("bad-boolean", "write true or false" if node.text.lower() in _YES_NO else None)
            return node.value
        case Expression():
            if not node.text.strip():
                raise _Refused("empty")
            return node.text
    return _spelt(node, type_)


_YES_NO = ("yes", "no", "on", "off", "y", "n", "1", "0", "true", "false")


def _text(node: Node, type_: Text) -> str:
    if node.kind == "null" and not node.text:
        raise _Refused("empty")
    if node.kind != "text" and not (type_.loose and node.kind in ("integer", "float")):
        raise _Refused("wrong-type", "put it into quotes if it is meant as text")
    if type_.pattern and not re.fullmatch(type_.pattern, node.text):
        raise _Refused("bad-name", _renamed(node.text, type_.pattern))
    if not type_.shortest <= len(node.text) <= type_.longest:
        raise _Refused("bad-length", None, f"{type_.expected} of {type_.shortest} to {type_.longest} characters")
    return node.text


def _renamed(text: str, pattern: str) -> str | None:
    """The nearest name that would do."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return f"for example {name}" if name and len(name) <= 60 and re.fullmatch(pattern, name) else None


def _integer(node: Node, type_: Integer) -> int:
    if node.kind != "integer":
        hint = "without quotes" if node.style and re.fullmatch(r"[0-9]+", node.text) else None
        raise _Refused("bad-number", hint)
    if node.value < type_.least or node.value > (type_.most if type_.most is not None else 2**53):
        raise _Refused("out-of-range")
    value: int = node.value
    return value


def _spelt(node: Node, type_: Type) -> Any:
    match type_:
        case Duration():
            return _duration(node, type_)
        case Percent():
            value: Any = scalars.parse_percent(node.text)
            if value is None:
                hint = f"did you mean {node.text}%?" if node.kind in ("integer", "float") else None
                raise _Refused("bad-percentage", hint)
            return value
        case Clock():
            value = scalars.parse_clock(node.text)
        case Moment():
            value = scalars.parse_moment(node.text)
        case TimeZone():
            value = node.text if node.kind == "text" and scalars.is_zone(node.text) else None
            if value is None:
                raise _Refused("bad-timezone", nearest(node.text, scalars.zones()))
        case _:
            raise AssertionError(type_)
    if value is None:
        raise _Refused("bad-time")
    return value


def _duration(node: Node, type_: Duration) -> int:
    value = scalars.parse_duration(node.text)
    if value is None:
        hint = f"with its unit: {node.text}s, {node.text}m, {node.text}h or {node.text}d"
        raise _Refused("bad-duration", hint if re.fullmatch(r"[0-9]{1,9}", node.text) else None)
    if value > scalars.LONGEST or (value == 0 and not type_.zero):
        raise _Refused("bad-duration")
    return value


def _record(node: Node, type_: Record, report: Report, name: str) -> Value | None:
    if node.kind != "mapping":
        _wrong_kind(node, type_, report, name)
        return None
    value = Value(node, type_, {})
    for key, child in _unique(node, value, report, name):
        if declared := type_.field(key.text):
            _adopt(value, key.text, read(child, declared.type, report, key.text))
        elif type_.other and _is_other(value, node, type_, key):
            _adopt(value, key.text, read(child, type_.other, report, key.text))
        else:
            value.broken = True
            _unknown_key(node, key, child, type_, report, name)
    for declared in type_.fields:
        if declared.default is REQUIRED and declared.name not in value.keys:
            value.broken = True
            report.error(
                node,
                "missing-key",
                f"{name}: '{declared.name}' is missing",
                f"{declared.name}: {declared.type.expected}",
            )
    _choose(value, type_, report, name)
    return value


def _is_other(value: Value, node: Node, type_: Record, key: Node) -> bool:
    """Whether this key is the author's own (an example's event type): the only one that is not declared."""
    own = [k for k, _ in node.entries if not type_.field(k.text)]
    return len(own) == 1 or own[0] is key


def _choose(value: Value, type_: Record, report: Report, name: str) -> None:
    given = [key for key in value.keys if key in type_.choose]
    if len(given) == 1 or not type_.choose:
        return
    value.broken = True
    if given:
        message = f"{name}: {listed(given, 'and')} exclude each other: keep one"
        report.error(value.keys[given[1]], "too-many-kinds", message)
    elif not any(k not in value.data for k in value.keys):
        report.error(value.node, "missing-key", f"{name}: one of {listed(type_.choose)} is missing")


def _unique(node: Node, value: Value, report: Report, name: str) -> list[tuple[Node, Node]]:
    """The entries with each key once; the key's node is noted in `value.keys`."""
    kept = []
    for key, child in node.entries:
        if (first := value.keys.get(key.text)) is not None:
            value.broken = True
            message = f"{name}: duplicate key {shown(key.text)}: it is already on line {first.line}"
            report.error(key, "duplicate-key", message, "keep one of them")
            continue
        value.keys[key.text] = key
        kept.append((key, child))
    return kept


def _unknown_key(node: Node, key: Node, child: Node, type_: Record, report: Report, name: str) -> None:
    """Never shows the value: it may be a secret."""
    if node.style == "flow" and child.kind == "null" and not child.text and not key.style and _broken_off(node):
        report.error(
            key, "unquoted-expression",
            f"{name}: a comma inside braces ends the value before it: this is read as a key of its own",
            "put the expression into quotes: where: 'contains(a, b)'",
        )  # fmt: skip
        return
    known = [f.name for f in type_.fields]
    hint = nearest(key.text, known) or f"known keys: {listed(known, 'and')}"
    if type_.other:
        hint = f"one {type_.other_what} an entry, beside {listed(known, 'and')}"
    report.error(key, "unknown-key", f"{name}: unknown key {shown(key.text)}", hint)


def _broken_off(node: Node) -> bool:
    """Whether a plain value of these braces opens a bracket that it does not close."""
    return any(not v.style and v.is_scalar and v.text.count("(") > v.text.count(")") for _, v in node.entries)


def _map(node: Node, type_: MapOf, report: Report, name: str) -> Value | None:
    if node.kind != "mapping":
        _wrong_kind(node, type_, report, name)
        return None
    value = Value(node, type_, {})
    for key, child in _unique(node, value, report, name):
        if read(_as_text(key), type_.key, report, f"{name}: {type_.what}") is None:
            value.broken = True
        _adopt(value, key.text, read(child, type_.value, report, key.text))
    if len(node.entries) < type_.shortest:
        report.error(node, "empty", f"{name}: expected at least one {type_.what}, found none")
    return value


def _as_text(key: Node) -> Node:
    """A key is text however it is spelt: `1:` and `true:` are the keys '1' and 'true'."""
    return replace(key, kind="text")


def _adopt(parent: Value, key: str, child: Value | None) -> None:
    if child is None:
        parent.broken = True
    else:
        parent.data[key] = child
        parent.broken = parent.broken or child.broken


def _list(node: Node, type_: ListOf, report: Report, name: str) -> Value | None:
    if node.kind != "list" and not type_.one:
        hint = f"[{node.text}]" if not isinstance(type_.item, Record) and node.kind == "text" else None
        _wrong_kind(node, type_, report, name, hint)
        return None
    nodes = node.items if node.kind == "list" else [node]
    if len(nodes) < type_.shortest:
        report.error(node, "empty", f"{name}: expected at least one, found an empty list")
        return None
    value = Value(node, type_, [])
    for number, item in enumerate(nodes):
        child = read(item, type_.item, report, name if node is item else f"{name}[{number}]")
        if child is not None:
            value.data.append(child)
        value.broken = value.broken or child is None or child.broken
    return value if len(value.data) >= type_.shortest else None


def _found(node: Node) -> str:
    return shown(node.text) if node.is_scalar and node.text else KINDS[node.kind]


def _one_of(node: Node, type_: OneOf, report: Report, name: str) -> Value | None:
    """The first alternative without a finding; else the findings of the only alternative of this kind."""
    attempts = []
    for option in type_.options:
        scratch = Report(report.file, report.text)
        value = read(node, option, scratch, name)
        if value is not None and not scratch.findings:
            return value
        attempts.append((option, value, scratch))
    same = [(value, scratch) for option, value, scratch in attempts if _kind_of(option) == _node_kind(node)]
    if len(same) == 1 and not node.is_scalar:
        value, scratch = same[0]
        report.findings += scratch.findings
        return value
    hints = [f.hint for _, _, scratch in attempts for f in scratch.findings if f.hint] if node.is_scalar else []
    report.error(
        node, "bad-value", f"{name}: expected {type_.expected}, found {_found(node)}", hints[0] if hints else None
    )
    return None


def _kind_of(type_: Type) -> str:
    if isinstance(type_, Named):
        return _kind_of(type_.get())
    return {Record: "mapping", MapOf: "mapping", ListOf: "list"}.get(type(type_), "scalar")


def _node_kind(node: Node) -> str:
    return "scalar" if node.is_scalar else node.kind


def _script(node: Node, type_: Expression, report: Report, name: str) -> Value | None:
    keys = [key.text for key, _ in node.entries]
    if keys != ["js"]:
        at = next((key for key, _ in node.entries if key.text != "js"), node)
        report.error(at, "bad-condition", f"{name}: expected an expression, or a mapping with the one key js")
        return None
    code = node.entries[0][1]
    if code.kind != "text" or not code.text.strip():
        report.error(code, "bad-condition", f"{name}: js: expected JavaScript as text, found {_found(code)}")
        return None
    return Value(node, type_, Script(code.text))


def _anything(node: Node, type_: Anything, report: Report, name: str) -> Value | None:
    """A JSON value: plain data, whatever its shape."""
    before = len(report.findings)
    data = _json(node, report, name)
    return Value(node, type_, data) if len(report.findings) == before else None


def _json(node: Node, report: Report, name: str) -> Any:
    if node.kind == "list":
        return [_json(item, report, name) for item in node.items]
    if node.kind == "mapping":
        value = Value(node, Anything(), {})
        return {key.text: _json(child, report, key.text) for key, child in _unique(node, value, report, name)}
    if node.kind in ("integer", "float") and not -(2**63) <= node.value < 2**64:
        report.error(node, "bad-number", f"{name}: expected a number that JSON can hold, found {shown(node.text)}")
    return node.value
