"""The ledger and its calls, read as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from kairos.adapters.delivery.ledger import Call, Row
from kairos.adapters.delivery.tables import CALLS, CONTROLS, LEDGER
from kairos.errors import KairosError

AT_ONCE = 5_000
"""Rows fetched together."""


class LedgerReaderError(KairosError):
    """There is no ledger at this address, or it does not answer."""


class NoLedgerError(LedgerReaderError):
    """Nothing was ever delivered from there."""


@dataclass
class LedgerReader:
    """One transaction, so that rows and calls belong together."""

    place: str
    _connection: sql.Connection

    def rows(self) -> Iterator[Row]:
        for values in self._read(LEDGER):
            yield Row(**values)

    def rows_of(self, user_id: str) -> Iterator[Row]:
        for values in self._read(LEDGER, LEDGER.c.user_id == user_id):
            yield Row(**values)

    def calls(self) -> Iterator[Call]:
        for values in self._read(CALLS):
            yield Call(**values)

    def paused(self) -> frozenset[str]:
        """Channels that send nothing at the moment."""
        return frozenset(row["channel"] for row in self._read(CONTROLS) if row["paused"])

    def _read(self, table: sql.Table, where: sql.ColumnElement[bool] | None = None) -> Iterator[dict[str, Any]]:
        try:
            if not sql.inspect(self._connection).has_table(table.name):
                raise NoLedgerError(f"{self.place}: there is no table {table.name}: nothing was delivered from here")
            query = sql.select(table) if where is None else sql.select(table).where(where)
            stream = self._connection.execution_options(yield_per=AT_ONCE).execute(query)
            for row in stream.mappings():
                yield dict(row)
        except SQLAlchemyError as error:
            raise _unreachable(self.place, error) from None


@contextmanager
def open_ledger_reader(address: str) -> Iterator[LedgerReader]:
    """`address`: an SQLAlchemy URL. Nothing is created there. Raises LedgerReaderError."""
    url = _url(address)
    place = url.render_as_string(hide_password=True)
    try:
        engine = sql.create_engine(url, isolation_level=_one_moment(url))
        connection = engine.connect()
    except (SQLAlchemyError, ImportError) as error:
        raise _unreachable(place, error) from None
    try:
        if url.get_backend_name() == "sqlite":
            connection.exec_driver_sql("BEGIN")  # else each statement sees a moment of its own
        yield LedgerReader(place, connection)
    finally:
        connection.close()
        engine.dispose()


def _url(address: str) -> URL:
    try:
        url = make_url(address)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise LedgerReaderError(f"the ledger's address is not usable: {error}") from None
    file = url.database
    if url.get_backend_name() == "sqlite" and file and file != ":memory:" and not Path(file).exists():
        raise NoLedgerError(f"no ledger: there is no file {file}")
    return url


def _one_moment(url: URL) -> Any:
    return "AUTOCOMMIT" if url.get_backend_name() == "sqlite" else "REPEATABLE READ"


def _unreachable(place: str, error: Exception) -> LedgerReaderError:
    cause = error.orig if isinstance(error, sql.exc.DBAPIError) else error
    return LedgerReaderError(f"the ledger {place} does not answer: {cause}")
