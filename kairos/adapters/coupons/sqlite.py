"""Codes in a file of SQLite: where there is no server, for one machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kairos.adapters.coupons.port import Contents, Counts, CouponStoreError
from kairos.adapters.database.sqlite_file import open_file, transaction
from kairos.engine.coupon.pools import Claim, Return

_TABLES = """
CREATE TABLE IF NOT EXISTS codes (pool TEXT, code TEXT, place INTEGER, key TEXT, user_id TEXT,
                                  PRIMARY KEY (pool, code)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS free ON codes (pool, place) WHERE key IS NULL;
CREATE INDEX IF NOT EXISTS places ON codes (pool, place);
CREATE UNIQUE INDEX IF NOT EXISTS taken ON codes (pool, key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS users ON codes (pool, user_id) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS holders (pool TEXT, key TEXT, holder TEXT, PRIMARY KEY (pool, key, holder)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS said (pool TEXT, key TEXT, holder TEXT, code TEXT,
                                 PRIMARY KEY (pool, key, holder)) WITHOUT ROWID;
"""
_SAID = "SELECT code FROM said WHERE pool = :pool AND key = :key AND holder = :holder"
"""What was answered to a message that holds no code any more, or never did."""
_LAST_PLACE = "SELECT COALESCE(MAX(place), 0) FROM codes WHERE pool = :pool"
# An index is named where SQLite, which keeps no statistics here, would look through the whole pool.
_HAD = "SELECT COUNT(*) FROM codes INDEXED BY users WHERE pool = :pool AND user_id = :user_id AND key IS NOT NULL"
_NEXT = "SELECT code FROM codes INDEXED BY free WHERE pool = :pool AND key IS NULL ORDER BY place LIMIT 1"


class SqliteCoupons:
    """Raises CouponStoreError where the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._said():
            self._connection = open_file(path, _TABLES)

    def take(self, claim: Claim) -> str | None:
        given = {name: getattr(claim, name) for name in ("pool", "key", "holder", "user_id", "per_user")}
        with self._transaction() as sql:
            if (said := sql.execute(_SAID, given).fetchone()) is not None:
                return None if said[0] is None else str(said[0])
            row = sql.execute("SELECT code FROM codes WHERE pool = :pool AND key = :key", given).fetchone()
            row = row or self._free(sql, given)
            if row is None:
                sql.execute("INSERT INTO said VALUES (:pool, :key, :holder, NULL)", given)
                return None
            given["code"] = row[0]
            sql.execute("UPDATE codes SET key = :key, user_id = :user_id WHERE pool = :pool AND code = :code", given)
            sql.execute("INSERT OR IGNORE INTO holders VALUES (:pool, :key, :holder)", given)
        return str(row[0])

    @staticmethod
    def _free(sql: sqlite3.Connection, given: dict[str, Any]) -> tuple[str] | None:
        """The next code, unless the user has had as many as one may have."""
        if given["per_user"] and sql.execute(_HAD, given).fetchone()[0] >= given["per_user"]:
            return None
        found: tuple[str] | None = sql.execute(_NEXT, given).fetchone()
        return found

    def give_back(self, back: Return) -> None:
        given = {name: getattr(back, name) for name in ("pool", "key", "holder")}
        own = "pool = :pool AND key = :key"
        with self._transaction() as sql:
            if not sql.execute(f"DELETE FROM holders WHERE {own} AND holder = :holder", given).rowcount:
                return
            sql.execute(f"INSERT INTO said SELECT pool, key, :holder, code FROM codes WHERE {own}", given)
            if not sql.execute(f"SELECT 1 FROM holders WHERE {own}", given).fetchone():
                place = f"({_LAST_PLACE}) + 1"
                sql.execute(f"UPDATE codes SET key = NULL, user_id = NULL, place = {place} WHERE {own}", given)

    def fill(self, pool: str, codes: Iterable[str]) -> int:
        with self._transaction() as sql:
            last = sql.execute(_LAST_PLACE, {"pool": pool}).fetchone()[0]
            rows = ((pool, code, place) for place, code in enumerate(codes, last + 1))
            return sql.executemany("INSERT OR IGNORE INTO codes VALUES (?, ?, ?, NULL, NULL)", rows).rowcount

    def counts(self, pool: str) -> Counts:
        with self._said():
            known, free = self._connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(key IS NULL), 0) FROM codes WHERE pool = ?", (pool,)
            ).fetchone()
        return Counts(known, free, known - free)

    def contents(self, pool: str) -> Contents:
        with self._said():
            rows = self._connection.execute(
                "SELECT code, key FROM codes WHERE pool = ? ORDER BY place", (pool,)
            ).fetchall()
        free, held = [code for code, key in rows if key is None], [(code, key) for code, key in rows if key is not None]
        return Contents(len(rows), free, held)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._said(), transaction(self._connection) as sql:
            yield sql

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise CouponStoreError(f"the coupons in {self._path}: {error}") from None
