"""The one reader: a node and its declared type in, a located value out, findings on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kairos.engine.expression.condition import Script
from kairos.engine.expression.slips import slip
from kairos.engine.expression.values import in_range
from kairos.engine.rule.fields.hints.habits import list_hint, record_hint, value_hint
from kairos.engine.rule.fields.reading.misplaced import cut_by_comment, unknown_key
from kairos.engine.rule.fields.reading.read_scalar import Refused, read_scalar
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Anything,
    Expression,
    Filled,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Record,
    Text,
    Type,
)
from kairos.engine.rule.text.nodes import KINDS, Node
from kairos.engine.rule.text.report import Report, listed, shown


def read(node: Node, type_: Type, report: Report, name: str) -> Value | None:
    """The value of `node` as `type_`; None (and a finding that calls it `name`) if it is not one."""
    match type_:
        case Named():
            return read(node, type_.get(), report, name)
        case Filled():
            return read(node, type_.type, report, name)
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
    if isinstance(type_, Text | Expression):
        cut_by_comment(node, report, name)
    try:
        return Value(node, type_, read_scalar(node, type_))
    except Refused as refused:
        found = shown(node.text) if node.text or node.style else KINDS["null"]
        expected = refused.expected or type_.expected
        hint = found_slip[1] if (found_slip := slip(node.text)) else value_hint(name, node) or refused.hint
        report.error(node, refused.code, f"{name}: expected {expected}, found {found}", hint)
        return None


def _not_an_expression(node: Node) -> str:
    if any(key.text == "js" for key, _ in node.entries):
        return "JavaScript has no place here: it is for the conditions of an activity"
    return "put it into quotes as a whole"


def _wrong_kind(node: Node, type_: Type, report: Report, name: str, hint: str | None = None) -> None:
    report.error(
        node, "wrong-type", f"{name}: expected {type_.expected}, found {_found(node)}", value_hint(name, node) or hint
    )


def _record(node: Node, type_: Record, report: Report, name: str) -> Value | None:
    if node.kind != "mapping":
        _wrong_kind(node, type_, report, name, record_hint(node, type_))
        return None
    value = Value(node, type_, {})
    for key, child in _unique(node, value, report, name):
        if declared := type_.field(key.text):
            _adopt(value, key.text, read(child, declared.type, report, key.text))
        elif type_.other and _is_other(value, node, type_, key):
            _adopt(value, key.text, read(child, type_.other, report, key.text))
        else:
            value.broken = True
            unknown_key(key, child, type_, report, name, alone=_is_piece(key, child))
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
    given = type_.kinds(value.keys)
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
    cut = _cut_by_commas(node, report)
    for key, child in node.entries:
        if (first := value.keys.get(key.text)) is not None:
            value.broken = True
            message = f"{name}: duplicate key {shown(key.text)}: it is already on line {first.line}"
            report.error(key, "duplicate-key", message, "keep one of them")
        elif child not in cut:
            value.keys[key.text] = key
            kept.append((key, child))
        elif cut[child]:  # the key that the author meant; the others are pieces of its value
            value.broken = True
            value.keys[key.text] = key
    return kept


def _cut_by_commas(node: Node, report: Report) -> dict[Node, bool]:
    """`{where: contains(a, b)}` is, to YAML, `where: contains(a` and a key `b)`: found by the bracket left open.

    The values that are pieces of such an expression; true for the first piece.
    """
    cut: dict[Node, bool] = {}
    for index, (key, value) in enumerate(node.entries):
        if node.style != "flow" or value in cut or value.style or not value.is_scalar:
            continue
        last, depth = index, _opened(value)
        while depth > 0 and last + 1 < len(node.entries) and _is_piece(*node.entries[last + 1]):
            last += 1
            depth += _opened(node.entries[last][0])
        if last > index:
            cut |= {piece: piece is value for _, piece in node.entries[index : last + 1]}
            text = " ".join(report.text[value.start : node.entries[last][0].end].split()).replace("'", "''")
            message = f"{key.text}: a comma inside braces ends the value: an expression with a comma is quoted here"
            report.error(value, "unquoted-expression", message, f"{key.text}: '{text}'")
    return cut


def _opened(node: Node) -> int:
    return node.text.count("(") - node.text.count(")")


def _is_piece(key: Node, value: Node) -> bool:
    return not key.style and value.kind == "null" and not value.text and not value.style


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
        hint = list_hint(node) if isinstance(type_.item, Record) else None
        if not isinstance(type_.item, Record) and node.kind == "text":
            hint = f"[{node.text}]"
        _wrong_kind(node, type_, report, name, hint)
        return None
    nodes = node.items if node.kind == "list" else [node]
    if len(nodes) < type_.shortest:
        least, found = ("one", "an empty list") if not nodes else (f"{type_.shortest}", f"{len(nodes)}")
        report.error(node, "empty", f"{name}: expected at least {least}, found {found}")
        return None
    if len(nodes) > type_.longest:
        report.error(node, "bad-length", f"{name}: expected at most {type_.longest}, found {len(nodes):,}")
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
        for finding in scratch.findings:
            report.add(finding)
        return value
    hints = [f.hint for _, _, scratch in attempts for f in scratch.findings if f.hint] if node.is_scalar else []
    hint = value_hint(name, node) or (hints[0] if hints else None)
    report.error(node, "bad-value", f"{name}: expected {type_.expected}, found {_found(node)}", hint)
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
        message = f"{name}: expected an expression, or a mapping with the one key js"
        hint = None if "js" in keys else 'it is written as an expression: name == "value"'
        report.error(at, "bad-condition", message, hint)
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
    if node.kind in ("integer", "float") and in_range(node.value) is None:
        report.error(node, "bad-number", f"{name}: expected a number of at most 64 bits, found {shown(node.text)}")
    return node.value
