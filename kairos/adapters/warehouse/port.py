"""What the warehouse can be asked: one SELECT, written once in DuckDB's dialect, the same answer from either engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from kairos.engine.warehouse.tables import Table
from kairos.errors import KairosError

Value = str | int | float | bool | None
Parameters = Mapping[str, Value | Sequence[Value]]
"""`$name` in the SQL stands for a value; a sequence stands for a list of values, as in `x IN $names`."""
NOTHING: Parameters = {}


class Answer(NamedTuple):
    """Values are None, bool, int, float, str, date and lists of these, whichever engine answers."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class WarehouseError(KairosError):
    """The warehouse cannot be used; the message says what, where, and what to do."""


class QueryError(WarehouseError):
    """The engine refuses this query, or stopped in it."""


class Engine(Protocol):
    """Sees the tables as they were when it was opened. `name`: "duckdb" or "trino". `scratch`: a folder for files that
    go when it is closed."""

    name: str
    scratch: Path

    def query(self, sql: str, parameters: Parameters = NOTHING) -> Answer:
        """Raises QueryError."""
        ...

    def by_activity(self, *tables: Table) -> None:
        """Many questions of one activity each are to come: the rows of these tables are kept so that each finds its
        own. Answers stay the same.

        Raises QueryError.
        """
        ...

    def into(self, sql: str, file: Path, seconds: float) -> None:
        """The rows, of texts and numbers, as a Parquet file in `scratch`.

        Raises QueryError, also where it takes longer.
        """
        ...

    def columns(self, table: str) -> dict[str, str]:
        """Name -> type of a table's columns, in order; those of profiles differ from one warehouse to the other."""
        ...

    def close(self) -> None: ...


def plain(value: Any) -> Any:
    """A value as either engine gives it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list | tuple):
        return [plain(element) for element in value]
    return value
