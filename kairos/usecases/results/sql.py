"""`kairos sql`: one question to the warehouse in SQL, which changes nothing and reads nothing but its tables."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.adapters.warehouse.port import Answer
from kairos.adapters.warehouse.read_only import check


def ask(warehouse: Path, query: str, engine: str = DUCKDB) -> Answer:
    """`query`: one SELECT in DuckDB's dialect. `engine`: "duckdb", or the URL of a Trino. Raises WarehouseError."""
    check(query)
    with closing(open_engine(warehouse, engine)) as opened:
        return opened.query(query)
