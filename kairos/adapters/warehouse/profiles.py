"""Profiles as rows: a column for each field, typed, and no address in clear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kairos.adapters.profiles.file import Profiles
from kairos.adapters.warehouse.port import Answer
from kairos.adapters.warehouse.rows import without_addresses
from kairos.engine.iso_time import parse_time
from kairos.engine.profile.fields import OWN_FIELDS
from kairos.engine.source.schema import FITS, SAID
from kairos.engine.warehouse.tables import Type

USER = "user_id"
ANY = "any"
"""The type of a field whose values are of several: text, or JSON."""
_COLUMN: dict[str, Type] = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "time": "BIGINT"}
_encode = msgspec.json.Encoder().encode
Report = Callable[[str], None]


def types_of(profiles: Profiles, declared: Mapping[str, str] | None, report: Report) -> dict[str, str]:
    """Field -> its type, in the order of names: what profile.yaml declares, or what the values show without one.

    Names that differ in case alone are one column, that of the first.
    """
    shown: dict[str, set[str]] = {}
    for fields in profiles.values():
        for name, value in fields.items():
            if value is not None:
                shown.setdefault(name, set()).add(_shape(value))
    if declared is None:
        known = {name: OWN_FIELDS.get(name) or _common(shapes) for name, shapes in shown.items()}
    else:
        known = {**OWN_FIELDS, **declared}
        for name in sorted(shown.keys() - known.keys()):
            report(f"'{name}' is not declared in profile.yaml; it is left out, everywhere")
    types: dict[str, str] = {}
    for name in sorted(known):
        if name.lower() in {USER, *(taken.lower() for taken in types)}:
            report(f"'{name}' cannot be a column beside another of that name; it is left out, everywhere")
        else:
            types[name] = known[name]
    return types


def columns_of(types: Mapping[str, str]) -> dict[str, Type]:
    return {USER: "VARCHAR", **{name: _COLUMN.get(type_, "VARCHAR") for name, type_ in types.items()}}


def profile_row(user: str, fields: Mapping[str, Any], types: Mapping[str, str], report: Report) -> tuple[Any, ...]:
    """In the order of `columns_of`. A value that does not fit its type is reported and left out."""
    safe = without_addresses(fields)
    return (user, *(_value(user, name, type_, safe.get(name), report) for name, type_ in types.items()))


def profiles_in(answer: Answer, declared: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """User -> fields, of rows of the table. `declared`: types of fields; without one, JSON is told by its bracket."""
    types = {**OWN_FIELDS, **declared}
    found: dict[str, dict[str, Any]] = {}
    for user, *values in answer.rows:
        named = zip(answer.columns[1:], values, strict=True)
        found[user] = {name: _read(value, types.get(name, ANY)) for name, value in named if value is not None}
    return found


def _read(value: Any, type_: str) -> Any:
    if not isinstance(value, str) or type_ not in ("list", "object", ANY) or value[:1] not in ("[", "{"):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def _value(user: str, name: str, type_: str, value: Any, report: Report) -> Any:
    if value is None:
        return None
    if type_ == ANY:
        return value if isinstance(value, str) else _encode(value).decode()
    if not FITS[type_](value):
        report(f"{user}.{name}: {SAID[type_]} is expected; left out")
        return None
    if type_ == "time" and isinstance(value, str):
        return parse_time(value)
    if type_ == "integer":
        return int(value)
    if type_ == "number":
        return float(value)
    return _encode(value).decode() if isinstance(value, list | dict) else value


def _shape(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "object"}
    return kinds[type(value)]


def _common(shapes: set[str]) -> str:
    if len(shapes) == 1:
        return next(iter(shapes))
    return "number" if shapes == {"integer", "number"} else ANY
