"""Decisions that the warehouse keeps, as the records that they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from kairos.adapters.warehouse.port import NOTHING, Engine, Parameters
from kairos.engine.decision import Record
from kairos.engine.warehouse.tables import DECISIONS

_FIELDS = Record.__struct_fields__
_KEPT = {"at": "at_ms"}
_COLUMNS = {column.name: column for column in DECISIONS.columns}
_ALWAYS = {field.name for field in msgspec.structs.fields(Record) if field.required}


def records(engine: Engine, where: str, parameters: Parameters = NOTHING) -> Iterator[Record]:
    """Those for which `where` is true (SQL over `decisions`), by time. Raises QueryError."""
    columns = ", ".join(_KEPT.get(name, name) for name in _FIELDS)
    sql = (
        f"SELECT {columns} FROM decisions WHERE {where} ORDER BY at_ms, activity, user_id, occurrence, attempt, outcome"
    )
    for row in engine.query(sql, parameters).rows:
        yield Record(**dict(_values(row)))


def _values(row: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """What a record says only where it is set stays unsaid: a first attempt, and no."""
    for name, value in zip(_FIELDS, row, strict=True):
        if name in _ALWAYS:
            is_json = _COLUMNS[_KEPT.get(name, name)].json
            yield name, msgspec.json.decode(value or "{}") if is_json else value
        elif value is not None and value is not False and not (name == "attempt" and value == 1):
            yield name, msgspec.json.decode(value) if _COLUMNS[name].json else value
