"""Sources as rows that people change while gateway and bridges run; every change says who and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from kairos.adapters.database.connection import open_engine
from kairos.adapters.database.errors import DatabaseError
from kairos.adapters.database.migrations import migrate
from kairos.adapters.sources.port import MAX_PRIORITY, PRIORITY, Access, Entry, Snapshot, SourceStoreError
from kairos.adapters.sources.tables import CHANGES, KEYS, SOURCES
from kairos.adapters.sources.text import SourceTextError, read_sources, write_source
from kairos.engine.rule.model import Source
from kairos.engine.strict_json import MAX_BYTES


class Key(msgspec.Struct, frozen=True):
    """`id`: enough of the hash to name it. Times are epoch ms."""

    id: str
    label: str
    created_by: str
    created_at: int


def _now() -> int:
    return time.time_ns() // 1_000_000


class SqlSourceStore:
    """`address`: an SQLAlchemy URL; the tables are made, or brought up to date, at the first use. `clock`: epoch ms."""

    def __init__(self, address: str, clock: Callable[[], int] = _now) -> None:
        try:
            self._engine = open_engine(address, "store of sources")
        except DatabaseError as error:
            raise SourceStoreError(str(error)) from None
        self._place = self._engine.url.render_as_string(hide_password=True)
        self._clock = clock
        self._migrated = False
        self._good: dict[str, tuple[str | None, Entry]] = {}
        """name -> the last definition that could be used, and the entry in force"""

    def close(self) -> None:
        self._engine.dispose()

    def read(self) -> Snapshot:
        with self._transaction() as connection:
            rows = connection.execute(sql.select(SOURCES).order_by(SOURCES.c.name)).mappings().all()
            hashes = connection.execute(sql.select(KEYS.c.source, KEYS.c.hash).order_by(KEYS.c.hash)).all()
        problems: list[str] = []
        for row in rows:
            keys = tuple(hash_ for owner, hash_ in hashes if owner == row["name"])
            self._take(dict(row), keys, problems)
        names = {row["name"] for row in rows}
        self._good = {name: good for name, good in self._good.items() if name in names}
        entries = {name: entry for name, (_, entry) in self._good.items()}
        return Snapshot(entries, tuple(problems), tuple(sorted(names - entries.keys())))

    def _take(self, row: Mapping[str, Any], keys: tuple[str, ...], problems: list[str]) -> None:
        """What is wrong with a row leaves that part of the last good entry in force; the rest of the row holds."""
        name, definition = row["name"], row["definition"]
        known, entry = self._good.get(name, (None, None))
        source, access = (entry.source, entry.access) if entry else (None, None)
        try:
            if definition != known:
                source = _source(name, definition)
                known = definition
        except (SourceTextError, ValueError) as error:
            problems.append(f"the definition of source '{name}' in {self._place} cannot be used: {error}")
        try:
            access = _access(row, keys)
        except ValueError as error:
            problems.append(f"source '{name}' in {self._place}: {error}")
        if source is not None and access is not None:
            source = msgspec.structs.replace(source, enabled=bool(row["enabled"]))
            self._good[name] = (known, Entry(source, access))

    def put(self, source: Source, by: str) -> bool:
        """Adds it, or replaces its definition; keys and limits stay. True: it is new."""
        values = {"enabled": source.enabled, "definition": write_source(source)}
        with self._transaction() as connection:
            new = not self._update(connection, source.name, values, by)
            if new:
                row = {"name": source.name, **values, "changed_by": by, "changed_at": self._clock()}
                connection.execute(SOURCES.insert(), row)
            self._note(connection, source.name, "added" if new else "definition replaced", by)
        return new

    def set(self, name: str, values: Mapping[str, Any], what: str, by: str) -> None:
        """Changes columns of a source; `what` is kept as the reason. Raises SourceStoreError where there is none."""
        with self._transaction() as connection:
            if not self._update(connection, name, values, by):
                raise self._unknown(connection, name)
            self._note(connection, name, what, by)

    def add_key(self, name: str, hash_: str, label: str, by: str) -> None:
        with self._transaction() as connection:
            if not self._update(connection, name, {}, by):
                raise self._unknown(connection, name)
            row = {"hash": hash_, "source": name, "label": label, "created_by": by, "created_at": self._clock()}
            connection.execute(KEYS.insert(), row)
            self._note(connection, name, f"key {hash_[:8]} added: {label}", by)

    def revoke_key(self, name: str, key_id: str, by: str) -> None:
        """Raises SourceStoreError unless the id names one key of the source."""
        with self._transaction() as connection:
            mine = sql.and_(KEYS.c.source == name, KEYS.c.hash.startswith(key_id, autoescape=True))
            found = connection.execute(sql.select(KEYS.c.hash).where(mine)).scalars().all()
            if len(found) != 1:
                raise SourceStoreError(f"source '{name}' has {len(found) or 'no'} keys '{key_id}'; 'show' lists them")
            connection.execute(KEYS.delete().where(KEYS.c.hash == found[0]))
            self._note(connection, name, f"key {found[0][:8]} revoked", by)

    def keys(self, name: str) -> list[Key]:
        with self._transaction() as connection:
            rows = connection.execute(sql.select(KEYS).where(KEYS.c.source == name).order_by(KEYS.c.created_at))
            return [Key(row.hash[:8], row.label, row.created_by, row.created_at) for row in rows]

    def changes(self, name: str) -> list[tuple[int, str, str]]:
        """(epoch ms, who, what), the newest first."""
        asked = sql.select(CHANGES.c.changed_at, CHANGES.c.changed_by, CHANGES.c.what)
        with self._transaction() as connection:
            rows = connection.execute(asked.where(CHANGES.c.source == name).order_by(CHANGES.c.id.desc()))
            return [(row[0], row[1], row[2]) for row in rows]

    def _update(self, connection: sql.Connection, name: str, values: Mapping[str, Any], by: str) -> bool:
        changed = {**values, "changed_by": by, "changed_at": self._clock()}
        # MySQL counts rows that really changed: ask for the row rather than for the count.
        there = connection.execute(sql.select(SOURCES.c.name).where(SOURCES.c.name == name).with_for_update()).first()
        connection.execute(SOURCES.update().where(SOURCES.c.name == name).values(**changed))
        return there is not None

    def _note(self, connection: sql.Connection, name: str, what: str, by: str) -> None:
        row = {"source": name, "what": what, "changed_by": by, "changed_at": self._clock()}
        connection.execute(CHANGES.insert(), row)

    def _unknown(self, connection: sql.Connection, name: str) -> SourceStoreError:
        names = connection.execute(sql.select(SOURCES.c.name).order_by(SOURCES.c.name)).scalars().all()
        return SourceStoreError(f"there is no source '{name}' in {self._place}; there are {', '.join(names) or 'none'}")

    @contextmanager
    def _transaction(self) -> Iterator[sql.Connection]:
        try:
            if not self._migrated:
                migrate(self._engine)
                self._migrated = True
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, sql.exc.DBAPIError) else error
            raise SourceStoreError(f"the store of sources {self._place} does not answer: {cause}") from None


def _source(name: str, definition: str) -> Source:
    sources = read_sources(definition.encode("utf-8", "surrogatepass"), name)
    if list(sources) != [name]:
        raise ValueError(f"it is of {', '.join(sources)}")
    return sources[name]


def _access(row: Mapping[str, Any], keys: tuple[str, ...]) -> Access:
    """Raises ValueError for what only a hand in the database could have written."""
    rate, largest = row["rate"], MAX_BYTES if row["max_bytes"] is None else row["max_bytes"]
    priority = PRIORITY if row["priority"] is None else row["priority"]
    if rate is not None and rate <= 0:
        raise ValueError("its rate must be above 0; to take nothing, switch it off")
    if not 0 < largest <= MAX_BYTES:
        raise ValueError(f"its max_bytes must be from 1 to {MAX_BYTES}")
    if not 0 <= priority <= MAX_PRIORITY:
        raise ValueError(f"its priority must be from 0 to {MAX_PRIORITY}")
    try:
        hmac = None if row["hmac"] is None else msgspec.json.decode(row["hmac"], type=dict[str, str])
    except msgspec.DecodeError:
        raise ValueError("its hmac must be a reference, {env: NAME} or {file: PATH}") from None
    return Access(keys, hmac, rate, largest, priority)
