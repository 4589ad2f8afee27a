"""The ledger in SQLite or MySQL/MariaDB."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sql
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from kairos.adapters.database.connection import away
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.delivery.ledger import Call, Change, Row, settle
from kairos.adapters.delivery.tables import CALLS, LEDGER

RACES = 20
"""How often a transaction that lost a race is tried again before the database counts as away."""
CHUNK = 500
"""Keys asked for, or rows written, in one statement."""

_FIELDS = [LEDGER.c[name] for name in Row.__struct_fields__]
_DEADLOCKS = (1205, 1213)


class SqlLedger:
    """Over an engine whose tables are there (`kairos.adapters.database.connection`)."""

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    def apply(self, changes: Sequence[Change]) -> list[Row | None]:
        """Raises DatabaseAwayError."""
        for turn in range(RACES):
            try:
                with self._engine.begin() as connection:
                    # What should be new nearly always is: it is looked for only where that has turned out wrong.
                    sought = {c.after.key for c in changes if c.before is not None or turn > 0}
                    return self._apply(connection, changes, sought)
            except IntegrityError:
                continue  # it is not new, or another worker has just inserted it
            except OperationalError as error:
                if error.orig is None or not error.orig.args or error.orig.args[0] not in _DEADLOCKS:
                    raise away(error) from None
            except (DBAPIError, sql.exc.TimeoutError) as error:
                if isinstance(error, sql.exc.DataError):
                    raise
                raise away(error) from None
        raise DatabaseAwayError("the ledger's database lets no transaction through: its rows stay locked")

    def _apply(self, connection: sql.Connection, changes: Sequence[Change], sought: set[str]) -> list[Row | None]:
        rows = self._rows(connection, sought)
        known = set(rows)
        results, written, calls = settle(rows, changes)
        fresh = [row for key, row in written.items() if key not in known]
        if fresh:
            connection.execute(LEDGER.insert(), _values(fresh))
        self._overwrite(connection, LEDGER, [row for key, row in written.items() if key in known])
        self._overwrite(connection, CALLS, calls)
        return results

    def _rows(self, connection: sql.Connection, keys: set[str]) -> dict[str, Row]:
        ordered, rows = sorted(keys), {}
        for start in range(0, len(ordered), CHUNK):
            query = sql.select(*_FIELDS).where(LEDGER.c.key.in_(ordered[start : start + CHUNK])).with_for_update()
            rows.update({values[0]: Row(*values) for values in connection.execute(query)})
        return rows

    def _overwrite(self, connection: sql.Connection, table: sql.Table, structs: Sequence[Row | Call]) -> None:
        """Insert or replace by primary key: in MySQL one statement for many, where updates are one each."""
        if structs:
            connection.execute(_upsert(table, on_sqlite=self._sqlite), _values(structs))

    def find(self, key: str) -> Row | None:
        return self._one(LEDGER.c.key == key)

    def find_by_provider(self, channel: str, provider_id: str) -> Row | None:
        return self._one(sql.and_(LEDGER.c.channel == channel, LEDGER.c.provider_id == provider_id))

    def _one(self, condition: sql.ColumnElement[bool]) -> Row | None:
        try:
            with self._engine.connect() as connection:
                values = connection.execute(sql.select(*_FIELDS).where(condition).limit(1)).first()
        except SQLAlchemyError as error:
            raise away(error) from None
        return None if values is None else Row(*values)


def _values(structs: Sequence[Row | Call]) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(struct) for struct in structs]


_STATEMENTS: dict[tuple[str, bool], sql.Insert] = {}


def _upsert(table: sql.Table, *, on_sqlite: bool) -> sql.Insert:
    known = _STATEMENTS.get((table.name, on_sqlite))
    if known is None:
        make: Callable[[sql.Table], sql.Insert] = _sqlite_upsert if on_sqlite else _mysql_upsert
        known = _STATEMENTS[table.name, on_sqlite] = make(table)
    return known


def _sqlite_upsert(table: sql.Table) -> sql.Insert:
    insert = sqlite.insert(table)
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=_others(table, insert.excluded))


def _mysql_upsert(table: sql.Table) -> sql.Insert:
    insert = mysql.insert(table)
    return insert.on_duplicate_key_update(_others(table, insert.inserted))


def _others(table: sql.Table, given: Any) -> dict[str, Any]:
    return {column.name: given[column.name] for column in table.columns if not column.primary_key}
