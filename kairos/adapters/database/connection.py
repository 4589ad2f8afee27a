"""The database of delivery: an SQLAlchemy engine whose transactions are short, durable and in each other's sight."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from kairos.adapters.database.errors import DatabaseAwayError, DatabaseError
from kairos.adapters.database.migrations import migrate

CONNECT_SECONDS = 5
ANSWER_SECONDS = 20
"""A transaction that hears nothing for so long is given up: the database is away."""


def open_engine(address: str, what: str = "delivery store") -> sql.Engine:
    """`address`: an SQLAlchemy URL. Nothing is connected yet. Raises DatabaseError, which calls it `what`."""
    try:
        url = make_url(address)
        if url.get_backend_name() == "sqlite":
            return _sqlite(url)
        if url.get_backend_name() not in ("mysql", "mariadb"):
            raise DatabaseError(f"the {what} {hidden(address)}: expected sqlite:///FILE or mysql+pymysql://...")
        limits = {"connect_timeout": CONNECT_SECONDS, "read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
        # Under READ COMMITTED a question for keys that are not there locks no gaps, so no worker waits for another.
        return sql.create_engine(
            url, pool_pre_ping=True, pool_size=3, isolation_level="READ COMMITTED", connect_args=limits
        )
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise DatabaseError(f"the address of the {what} is not usable: {error}") from None


def create_tables(engine: sql.Engine) -> None:
    """Those that are missing. Raises DatabaseError."""
    try:
        migrate(engine)
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, sql.exc.DBAPIError) else error
        shown = engine.url.render_as_string(hide_password=True)
        raise DatabaseError(f"the delivery store {shown} does not answer: {cause}") from None


def hidden(address: str) -> str:
    """Without the password."""
    try:
        return make_url(address).render_as_string(hide_password=True)
    except ArgumentError:
        return "(not an address)"


def _sqlite(url: sql.URL) -> sql.Engine:
    path = Path(url.database) if url.database else None
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = sql.create_engine(url, connect_args={"timeout": ANSWER_SECONDS})

    @sql.event.listens_for(engine, "do_connect")
    def _on_open(_dialect: Any, _record: Any, _arguments: Any, _options: Any) -> None:
        if path is not None and not path.exists():
            with suppress(OSError):  # which SQLite tells
                path.touch(mode=0o600)  # its other files follow this one

    @sql.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says, below
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=FULL")

    @sql.event.listens_for(engine, "begin")
    def _on_begin(connection: sql.Connection) -> None:
        # From the start as a writer: a reader that becomes one in the middle could fail.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: Any) -> None:
    """On a new file two processes may ask for it at once; one is told "locked" at once, timeout or not."""
    limit = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > limit:
                raise
            time.sleep(0.05)


def away(error: SQLAlchemyError) -> DatabaseAwayError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return DatabaseAwayError(f"the delivery store does not answer: {cause}")
