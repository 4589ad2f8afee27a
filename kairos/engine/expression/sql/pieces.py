"""Pieces of SQL, each with its kind: read as another kind, compared, looked into.

A comparison of what cannot be compared is false, as in `values.py`; NULL never gets out of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from kairos.engine.expression.tree import Literal, Node

Kind = OneOf["number", "text", "boolean", "json", "null"]


@dataclass(frozen=True)
class Sql:
    kind: Kind
    text: str


NULL = Sql("null", "NULL")


class NotInSql(Exception):
    """The expression reads what a warehouse cannot tell; the message says what."""


# -------------------------------------------------------------------------------------------------- from kind to kind
def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def number(piece: Sql) -> str:
    return _as(piece, "number", "kairos_number", "CAST(NULL AS DOUBLE)")


def text(piece: Sql) -> str:
    return _as(piece, "text", "kairos_text", "CAST(NULL AS VARCHAR)")


def _as(piece: Sql, kind: Kind, reader: str, nothing: str) -> str:
    if piece.kind == kind:
        return piece.text
    return f"{reader}({piece.text})" if piece.kind == "json" else nothing


def truth(piece: Sql) -> str:
    if piece.kind == "boolean":
        return piece.text
    return f"coalesce({piece.text} = 'true', false)" if piece.kind == "json" else "false"


def as_json(piece: Sql) -> str:
    if piece.kind == "json":
        return piece.text
    return "CAST(NULL AS VARCHAR)" if piece.kind == "null" else f"kairos_of_{piece.kind}({piece.text})"


def _false_where_null(condition: str) -> str:
    return f"coalesce({condition}, false)"


# ------------------------------------------------------------------------------------------------------ comparisons
def _kinds(a: Sql, b: Sql) -> set[Kind]:
    return {a.kind, b.kind}


def equal(a: Sql, b: Sql) -> str:
    kinds = _kinds(a, b)
    if kinds == {"json"}:
        return f"kairos_same({a.text}, {b.text})"
    pair = _typed_pair(a, b)
    return _false_where_null(f"{pair[0]} = {pair[1]}") if pair else "false"


def unequal(a: Sql, b: Sql) -> str:
    if _kinds(a, b) == {"json"}:
        same_kind = _false_where_null(f"kairos_kind({a.text}) = kairos_kind({b.text})")
        return f"({same_kind} AND NOT kairos_same({a.text}, {b.text}))"
    pair = _typed_pair(a, b)
    return _false_where_null(f"{pair[0]} <> {pair[1]}") if pair else "false"


def _typed_pair(a: Sql, b: Sql) -> tuple[str, str] | None:
    """Both sides as the kind that one of them is known to have; None where they cannot be of one kind."""
    kinds = _kinds(a, b) - {"json"}
    if len(kinds) != 1 or kinds == {"null"}:
        return None
    readers = {"number": number, "text": text, "boolean": _boolean}
    read = readers[kinds.pop()]
    return read(a), read(b)


def _boolean(piece: Sql) -> str:
    if piece.kind == "json":
        return f"CASE {piece.text} WHEN 'true' THEN true WHEN 'false' THEN false END"
    return piece.text


def ordered(a: Sql, sign: str, b: Sql) -> str:
    kinds = _kinds(a, b)
    if kinds == {"json"}:
        function = "kairos_less" if sign in "<>" else "kairos_less_or_same"
        left, right = (a, b) if sign.startswith("<") else (b, a)
        return f"{function}({left.text}, {right.text})"
    if "boolean" in kinds:
        return "false"
    pair = _typed_pair(a, b)
    return _false_where_null(f"{pair[0]} {sign} {pair[1]}") if pair else "false"


def inside(a: Sql, b: Sql) -> tuple[str, str]:
    if b.kind == "text":
        found = f"strpos({b.text}, {text(a)}) > 0"
        return _false_where_null(found), f"({text(a)} IS NOT NULL AND {b.text} IS NOT NULL)"
    if b.kind != "json":
        return "false", "false"
    one, other = as_json(a), b.text
    return f"kairos_inside({one}, {other})", f"({one} IS NOT NULL AND kairos_holds({one}, {other}))"


def predicate(name: str, a: str, b: str) -> str:
    if name == "matches":
        return _false_where_null(f"regexp_matches({a}, {b})")
    if name == "starts_with":
        return _false_where_null(f"starts_with({a}, {b})")
    return _false_where_null(f"substr({a}, length({a}) - length({b}) + 1) = {b} AND length({a}) >= length({b})")


def rounded(value: str, digits: tuple[Node, ...]) -> str:
    if not digits:
        return f"kairos_round({value})"
    places = digits[0]
    if not isinstance(places, Literal) or type(places.value) is not int or not 0 <= places.value <= 15:
        raise NotInSql("round() takes a number of digits from 0 to 15")
    return f"(kairos_round({value} * 1e{places.value}) / 1e{places.value})"


def literal(value: str | int | float | bool | None) -> Sql:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return Sql("boolean", "true" if value else "false")
    if isinstance(value, str):
        return Sql("text", quoted(value))
    written = repr(float(value))
    return Sql("number", written if "e" in written else f"{written}e0")


def one_kind(pieces: list[Sql]) -> tuple[Kind, list[str]]:
    kinds = {piece.kind for piece in pieces}
    if len(kinds - {"null"}) == 1 and kinds != {"boolean", "null"}:  # a boolean is never NULL
        (kind,) = kinds - {"null"}
        if kind != "json":
            return kind, [piece.text for piece in pieces]
    return "json", [as_json(piece) for piece in pieces]
