"""Rows on their way into a table, gathered in one Parquet file."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from kairos.engine.warehouse.tables import Table, Type

AT_ONCE = 65_536
"""Rows held in memory."""

_ARROW: dict[Type, pyarrow.DataType] = {
    "VARCHAR": pyarrow.string(),
    "BIGINT": pyarrow.int64(),
    "DOUBLE": pyarrow.float64(),
    "BOOLEAN": pyarrow.bool_(),
}


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _leave_pandas_out() -> None:
    """pyarrow looks for pandas at its first array, to know pandas' columns, and that takes half a second where PyFlink
    has brought it. Ours are none of pandas."""
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, finder := _NoPandas())
        bool(pyarrow.lib._pandas_api.have_pandas)
        sys.meta_path.remove(finder)


_leave_pandas_out()


class Incoming:
    """`add` takes rows in the order of `columns`, which are the table's own unless others are given."""

    def __init__(self, table: Table, path: Path, columns: dict[str, Type] | None = None) -> None:
        self.table = table
        self.path = path
        self.count = 0
        self._schema = pyarrow.schema([(name, _ARROW[type_]) for name, type_ in (columns or table.types).items()])
        self._rows: list[tuple[Any, ...]] = []
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd", compression_level=1)

    def add(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        if len(self._rows) >= AT_ONCE:
            self._flush()

    def close(self) -> None:
        """What was added is in the file now."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            values = zip(*self._rows, strict=True)
            arrays = [pyarrow.array(column, field.type) for column, field in zip(values, self._schema, strict=True)]
            self._writer.write_batch(pyarrow.record_batch(arrays, schema=self._schema))
            self.count += len(self._rows)
            self._rows.clear()
