"""Which engine answers: DuckDB inside this process, or a Trino that reads the same files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.port import Engine, WarehouseError

DUCKDB = "duckdb"


def open_engine(warehouse: Path, engine: str = DUCKDB) -> Engine:
    """`engine`: "duckdb", or the URL of a Trino. Raises WarehouseError."""
    folder = Folder(warehouse)
    if engine == DUCKDB:
        from kairos.adapters.warehouse.duckdb import DuckDb

        return DuckDb(folder)
    if not engine.startswith(("http://", "https://")):
        raise WarehouseError(f"the engine '{engine}': expected duckdb, or the URL of a Trino (http://127.0.0.1:18080)")
    try:
        from kairos.adapters.warehouse.trino import Trino
    except ImportError:
        raise WarehouseError("the client of Trino is not installed; 'make setup-trino' installs it") from None
    return Trino(folder, engine)


def open_about(warehouse: Path, user: str, since: int | None = None) -> Engine:
    """What it has of one user, from the day of `since` (epoch ms) on. Raises WarehouseError."""
    from kairos.adapters.warehouse.kept import kept_about

    day = "" if since is None else datetime.fromtimestamp(since / 1000, UTC).date().isoformat()
    return kept_about(Folder(warehouse), user, day)
