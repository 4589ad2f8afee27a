"""Releases as rows of one table, in SQLite or MySQL/MariaDB: a row is a release, and is never changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

import sqlalchemy as sql
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from kairos.adapters.database.connection import open_engine
from kairos.adapters.database.errors import DatabaseError
from kairos.adapters.database.migrations import migrate
from kairos.adapters.rules.store import BrokenReleaseError, RuleStoreError, overtaken
from kairos.engine.rule.release import Release, ReleaseError, decode, encode

METADATA = sql.MetaData()
RELEASES = sql.Table(
    "rule_releases",
    METADATA,
    sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("effective_at", sql.BigInteger, nullable=False),
    sql.Column("published_at", sql.BigInteger, nullable=False),
    sql.Column("author", sql.String(200), nullable=False),
    # 16 MB in MySQL, where a plain BLOB ends at 64 KB
    sql.Column("body", sql.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
)


class SqlRuleStore:
    """`address` is an SQLAlchemy URL. The table is made, or brought up to date, at the first use."""

    def __init__(self, address: str) -> None:
        try:
            self._engine = open_engine(address, "rule store")
        except DatabaseError as error:
            raise RuleStoreError(str(error)) from None
        self._place = self._engine.url.render_as_string(hide_password=True)
        self._migrated = False
        self._refused: set[int] = set()

    def latest(self, after: int) -> Release | None:
        newer = sql.select(RELEASES.c.number).where(RELEASES.c.number > after).order_by(RELEASES.c.number.desc())
        try:
            with self._connect() as connection:
                for number in connection.execute(newer).scalars().all():
                    if number not in self._refused:
                        one = sql.select(RELEASES.c.body).where(RELEASES.c.number == number)
                        return self._good(number, connection.execute(one).scalar_one())
        except SQLAlchemyError as error:
            raise self._unreachable(error) from None
        return None

    def _good(self, number: int, body: bytes) -> Release:
        try:
            release = _decoded(body)
            if release.number != number:
                raise ReleaseError(f"its body belongs to release {release.number}")
        except ReleaseError as error:
            self._refused.add(number)
            raise BrokenReleaseError(number, f"release {number} in {self._place} is broken: {error}") from None
        return release

    def publish(self, release: Release, files: Mapping[str, bytes], author: str) -> None:
        row = {
            "number": release.number,
            "effective_at": release.effective_at,
            "published_at": time.time_ns() // 1_000_000,
            "author": author[:200],
            "body": encode(release),
        }
        try:
            with self._connect() as connection, connection.begin():
                newest = connection.execute(sql.select(sql.func.max(RELEASES.c.number))).scalar() or 0
                if newest != release.number - 1:
                    raise overtaken(newest, self._place)
                connection.execute(RELEASES.insert(), row)
        except IntegrityError:
            raise overtaken(release.number, self._place) from None
        except SQLAlchemyError as error:
            raise self._unreachable(error) from None

    def _connect(self) -> sql.Connection:
        if not self._migrated:
            migrate(self._engine)
            self._migrated = True
        return self._engine.connect()

    def _unreachable(self, error: SQLAlchemyError) -> RuleStoreError:
        cause = error.orig if isinstance(error, sql.exc.DBAPIError) else error
        return RuleStoreError(f"the rule store {self._place} does not answer: {cause}")


@lru_cache(maxsize=4)
def _decoded(body: bytes) -> Release:
    """Whoever asks again is given the same. Raises ReleaseError."""
    return decode(body)
