"""The tables on DuckDB, inside this process: views over the Parquet files, nothing else within reach."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb

from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.functions import macros
from kairos.adapters.warehouse.port import NOTHING, Answer, Parameters, QueryError, WarehouseError, plain
from kairos.engine.warehouse.tables import PARTITION, TABLES, Table

MEMORY = "3GB"
THREADS = os.cpu_count() or 1
BY_ACTIVITY = "activity"
"""Name of a column."""


class Opened:
    """Views over the files of a folder, from the day `since` on (as `2026-11-02`), for as many as ask at one time. They
    hold as long as its files stay: whoever asks has the folder's lock for readers. Closed when nobody has it any more.

    Raises WarehouseError."""

    def __init__(self, folder: Folder, memory: str = MEMORY, threads: int = THREADS, since: str = "") -> None:
        with ExitStack() as closing:
            spill = closing.enter_context(tempfile.TemporaryDirectory(prefix="kairos-duckdb-"))
            self.scratch = Path(spill)
            try:
                self._connection = closing.enter_context(connect(self.scratch, memory, threads))
                for table in TABLES.values():
                    self._connection.execute(f"CREATE VIEW {table.name} AS {source(table, folder.files(table, since))}")
                for macro in macros():
                    self._connection.execute(macro)
                # From here on the files of the warehouse can be read, and nothing else.
                self._connection.execute(f"SET allowed_directories=[{quoted(folder.path)}, {quoted(spill)}]")
                self._connection.execute("SET enable_external_access=false")
                self._connection.execute("SET lock_configuration=true")
            except duckdb.Error as error:  # a file that is damaged
                raise _damaged(folder, error) from None
            self.close = weakref.finalize(self, closing.pop_all().close)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """With tables of its own."""
        return self._connection.cursor()


class DuckDb:
    """Holds the folder's lock for readers, so what it sees stays. Raises WarehouseError when opened."""

    name = "duckdb"

    def __init__(
        self, folder: Folder, memory: str = MEMORY, threads: int = THREADS, since: str = "", user: str | None = None,
        opened: Callable[[], Opened] | None = None,
    ) -> None:  # fmt: skip
        """`since`: of tables with days there are none before this one, as `2026-11-02`. `user`: tables with a time have
        the rows of this one alone, each read once. `opened`: gives views that others ask, too, under the lock."""
        with ExitStack() as closing:
            closing.callback(folder.read_lock().close)
            self._opened = opened() if opened is not None else Opened(folder, memory, threads, since)
            if opened is None:
                closing.callback(self._opened.close)
            self.scratch = self._opened.scratch
            self._connection = closing.enter_context(self._opened.cursor())
            try:
                if user is not None:
                    self._narrow(user)
            except duckdb.Error as error:
                raise _damaged(folder, error) from None
            self._closing = closing.pop_all()

    def _narrow(self, user: str) -> None:
        for table in TABLES.values():
            if table.time and "user_id" in table.types:
                rows = f"SELECT * FROM memory.main.{table.name} WHERE user_id = $user"
                self._connection.execute(f"CREATE TEMP TABLE {table.name} AS {rows}", {"user": user})

    def by_activity(self, *tables: Table) -> None:
        for table in tables:
            place, rows = self.scratch / table.name, f"SELECT * FROM memory.main.{table.name}"
            self._run(f"COPY ({rows}) TO {quoted(place)} (FORMAT parquet, PARTITION_BY ({BY_ACTIVITY}))")
            names = ", ".join(quoted(file) for file in sorted(place.rglob("*.parquet")))
            if names:
                columns = ", ".join([*table.types, PARTITION])
                hive = f"hive_partitioning=true, hive_types={{'{BY_ACTIVITY}': VARCHAR}}"
                kept = f"SELECT {columns} FROM read_parquet([{names}], {hive})"
                self._run(f"CREATE TEMP VIEW {table.name} AS {kept}")

    def query(self, sql: str, parameters: Parameters = NOTHING) -> Answer:
        names, found = self._run(sql, parameters)
        return Answer(names, [tuple(plain(value) for value in row) for row in found])

    def _run(self, sql: str, parameters: Parameters = NOTHING) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names of columns, and rows."""
        try:
            cursor = self._connection.execute(sql, dict(parameters))
            return tuple(column[0] for column in cursor.description or ()), cursor.fetchall()
        except duckdb.Error as error:
            raise QueryError(f"DuckDB: {str(error).splitlines()[0]}") from None

    def into(self, sql: str, file: Path, seconds: float) -> None:
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._connection.interrupt()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            self._connection.execute(f"COPY ({sql}) TO {quoted(file)} (FORMAT parquet)")
        except duckdb.Error as error:
            said = f"it took longer than {seconds:g} s" if late.is_set() else str(error).splitlines()[0]
            raise QueryError(f"DuckDB: {said}") from None
        finally:
            timer.cancel()
            timer.join()

    def columns(self, table: str) -> dict[str, str]:
        answer = self.query(f"SELECT column_name, column_type FROM (DESCRIBE {table})")
        return dict(answer.rows)

    def close(self) -> None:
        self._closing.close()


def _damaged(folder: Folder, error: duckdb.Error) -> WarehouseError:
    return WarehouseError(f"the warehouse {folder.path}: {str(error).splitlines()[0]}")


def connect(spill: Path, memory: str = MEMORY, threads: int = THREADS) -> duckdb.DuckDBPyConnection:
    """`spill`: where what does not fit into memory goes."""
    config: dict[str, Any] = {"memory_limit": memory, "threads": threads, "temp_directory": str(spill)}
    return duckdb.connect(":memory:", config=config)


def source(table: Table, files: Iterable[Path], *, filename: bool = False) -> str:
    """A SELECT of these files; of no rows where there are none. `filename`: with that column too."""
    columns = [f"CAST(NULL AS {c.type}) AS {c.name}" for c in table.columns]
    columns += [f"CAST(NULL AS DATE) AS {PARTITION}"] if table.time else []
    columns += ["CAST(NULL AS VARCHAR) AS filename"] if filename else []
    nothing = f"SELECT {', '.join(columns)} WHERE false"
    names = ", ".join(quoted(file) for file in files)
    if not names:
        return nothing
    hive = f"hive_partitioning=true, hive_types={{'{PARTITION}': DATE}}" if table.time else "hive_partitioning=false"
    more = ", filename=true" if filename else ""
    # Files of an earlier version may lack a column, which is null there.
    return f"{nothing} UNION ALL BY NAME SELECT * FROM read_parquet([{names}], {hive}, union_by_name=true{more})"


def quoted(path: Path | str) -> str:
    """As text in SQL."""
    return "'" + str(path).replace("'", "''") + "'"
