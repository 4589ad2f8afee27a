"""What a declared type is made of: for whoever walks along a path, and not through a value."""

from __future__ import annotations

from typing import TypeVar

from kairos.engine.rule.fields.types import (
    Anything,
    Boolean,
    Choice,
    Filled,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Record,
    Type,
)
from kairos.engine.rule.text.edit import Path

_Kind = TypeVar("_Kind", Record, ListOf, MapOf)


def type_at(type_: Type, path: Path) -> Type | None:
    """The declared type of what stands, or could stand, at the path."""
    at: Type | None = type_
    for step in path:
        if at is None:
            return None
        record, listed = record_of(at), list_of(at)
        if isinstance(step, int):
            at = listed.item if listed is not None else None
        elif record is not None and (declared := record.field(step)) is not None:
            at = declared.type
        else:
            named = _first(at, MapOf)
            at = named.value if named is not None else None
    return at


def is_line(type_: Type) -> bool:
    """Whether a value of it can be written in one line."""
    match type_:
        case Named() | Record() | MapOf() | Anything():
            return False
        case Filled():
            return is_line(type_.type)
        case ListOf():
            return is_line(type_.item)
        case OneOf():
            return any(map(is_line, type_.options))
    return True


def record_of(type_: Type) -> Record | None:
    """The one that a mapping is read as."""
    return _first(type_, Record)


def records_of(type_: Type) -> ListOf | None:
    """The list whose items are mappings."""
    listed = list_of(type_)
    return listed if listed is not None and record_of(listed.item) is not None else None


def list_of(type_: Type) -> ListOf | None:
    return _first(type_, ListOf)


def _first(type_: Type, kind: type[_Kind]) -> _Kind | None:
    """The type itself, or the first of this kind among what it stands for; None: there is none."""
    match type_:
        case Named():
            return _first(type_.get(), kind)
        case Filled():
            return _first(type_.type, kind)
        case OneOf():
            return next((found for option in type_.options if (found := _first(option, kind)) is not None), None)
    return type_ if isinstance(type_, kind) else None


def options_of(type_: Type) -> tuple[str, ...]:
    """Words of which it is one; empty: others may be written."""
    match type_:
        case Filled():
            return options_of(type_.type)
        case Choice():
            return type_.values
        case Boolean():
            return ("true", "false")
    return ()
