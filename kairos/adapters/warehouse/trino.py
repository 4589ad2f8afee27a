"""The tables on Trino: Hive tables over the same Parquet files, wherever Trino sees them."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow
import pyarrow.parquet
from trino.auth import BasicAuthentication
from trino.dbapi import Connection
from trino.exceptions import Error, TrinoConnectionError, TrinoQueryError

from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.port import NOTHING, Answer, Parameters, QueryError, WarehouseError, plain
from kairos.adapters.warehouse.sql import to_trino
from kairos.engine.warehouse.tables import PARTITION, TABLES, Table

CATALOG = "hive"
AT_ONCE = 50_000
"""Rows held in memory."""
USER = "kairos"
_ARROW = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}


class Trino:
    """`url`: `http://host:port`, with a user, a password and the Hive catalog where they are others than the local
    stack's (`https://me:secret@host:8443/lake`). `?location=` says where Trino has the warehouse's folder, without it
    in the same place of the same machine. Raises WarehouseError when opened.
    """

    name = "trino"

    def __init__(self, folder: Folder, url: str) -> None:
        parts = urlsplit(url)
        self._place = f"{parts.scheme}://{parts.hostname}:{parts.port or ''}".rstrip(":")
        self._location = parse_qs(parts.query).get("location", [f"local://{folder.path}"])[0].rstrip("/")
        self._reading = folder.read_lock()
        self._spill = tempfile.TemporaryDirectory(prefix="kairos-trino-")
        self.scratch = Path(self._spill.name)
        try:
            self._columns = {table.name: _columns(folder, table) for table in TABLES.values()}
            layout = f"{self._location} {self._columns}".encode()
            schema = f"kairos_{hashlib.blake2b(layout, digest_size=6).hexdigest()}"
            self._connection = Connection(
                host=parts.hostname or "",
                port=parts.port,
                user=parts.username or USER,
                auth=BasicAuthentication(parts.username or USER, parts.password) if parts.password else None,
                http_scheme=parts.scheme,
                catalog=parts.path.strip("/") or CATALOG,
                schema=schema,
            )
            self._create(schema)
        except BaseException:
            self._spill.cleanup()
            self._reading.close()
            raise

    def _create(self, schema: str) -> None:
        """Tables for this layout, where they are not there; and the days that have come or gone."""
        self._run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        present = {row[0] for row in self._run("SHOW TABLES").rows}
        for table in TABLES.values():
            if table.name not in present:
                columns = ", ".join(f'"{name}" {type_}' for name, type_ in self._columns[table.name].items())
                days = f", partitioned_by = ARRAY['{PARTITION}']" if table.time else ""
                place = f"{self._location}/{table.name}".replace("'", "''")
                self._run(
                    f"CREATE TABLE IF NOT EXISTS {table.name} ({columns}) "
                    f"WITH (format = 'PARQUET', external_location = '{place}'{days})"
                )
            if table.time:
                self._run(f"CALL system.sync_partition_metadata('{schema}', '{table.name}', 'FULL')")

    def query(self, sql: str, parameters: Parameters = NOTHING) -> Answer:
        return self._run(to_trino(sql, parameters))

    def by_activity(self, *tables: Table) -> None:
        """Nothing: a cluster has the memory and the machines to read all of a table."""

    def into(self, sql: str, file: Path, seconds: float) -> None:
        """The limit is a property of the session, which is this object's own."""
        self._run(f"SET SESSION query_max_run_time = '{max(1, math.ceil(seconds))}s'")
        cursor = self._connection.cursor()
        writer = None
        with self._told():
            cursor.execute(to_trino(sql, NOTHING))
            while rows := cursor.fetchmany(AT_ONCE):
                columns = zip(*rows, strict=True)
                batch = pyarrow.record_batch([pyarrow.array(values) for values in columns], self._names(cursor))
                writer = writer or pyarrow.parquet.ParquetWriter(file, batch.schema)
                writer.write_batch(batch)
            if writer is None:
                nothing = pyarrow.schema([(name, pyarrow.string()) for name in self._names(cursor)])
                writer = pyarrow.parquet.ParquetWriter(file, nothing)
            writer.close()

    @staticmethod
    def _names(cursor: Any) -> list[str]:
        return [column.name for column in cursor.description or ()]

    def columns(self, table: str) -> dict[str, str]:
        return dict(self._columns[table])

    def close(self) -> None:
        self._connection.close()  # type: ignore[no-untyped-call]
        self._spill.cleanup()
        self._reading.close()

    def _run(self, sql: str) -> Answer:
        cursor = self._connection.cursor()
        with self._told():
            cursor.execute(sql)
            rows = [tuple(plain(value) for value in row) for row in cursor.fetchall()]
            return Answer(tuple(self._names(cursor)), rows)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except TrinoQueryError as error:
            raise QueryError(f"Trino: {error.message}") from None
        except (Error, TrinoConnectionError, OSError) as error:
            raise WarehouseError(f"Trino at {self._place} does not answer: {error}") from None


def _columns(folder: Folder, table: Table) -> dict[str, str]:
    """Name -> type; the partition comes last. Raises WarehouseError."""
    columns: dict[str, Any] = dict(table.types)
    if table.typed and (files := folder.files(table)):
        try:
            schema = pyarrow.parquet.read_schema(files[-1])
        except (pyarrow.ArrowException, OSError) as error:  # it is damaged
            raise WarehouseError(f"the warehouse's {files[-1]} cannot be read: {error}") from None
        columns = {field.name: _ARROW[str(field.type)] for field in schema}
    return {**columns, PARTITION: "DATE"} if table.time else columns
