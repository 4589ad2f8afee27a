"""Black list, white list, and crowds that people keep by hand: sets in Redis, where the job looks, and a row for each
change in the database, which says who made it, when and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec
import redis
import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from kairos.adapters.database.column_types import NAME, SERIAL, TEXT
from kairos.adapters.database.connection import away
from kairos.adapters.profiles.keys import CROWD, LIST

METADATA = sql.MetaData()

CHANGES = sql.Table(
    "user_list_changes",
    METADATA,
    sql.Column("id", SERIAL, primary_key=True, autoincrement=True),
    # the key of the Redis set
    sql.Column("list", NAME, nullable=False, index=True),
    sql.Column("user_id", TEXT, nullable=False),
    sql.Column("added", sql.Boolean, nullable=False),
    sql.Column("reason", TEXT),
    sql.Column("changed_by", NAME, nullable=False),
    sql.Column("changed_at", sql.BigInteger, nullable=False),
)

LISTS = ("black", "white")


class Change(msgspec.Struct, frozen=True):
    """`changed_at`: epoch ms."""

    user_id: str
    added: bool
    reason: str | None
    changed_by: str
    changed_at: int


class UserLists:
    """`name`: `black`, `white` or `crowd:<name>`. Calls block; they raise DatabaseAwayError or redis.RedisError.

    With either of the two away nothing is changed, or it is changed and not written down; said again it is complete.
    """

    def __init__(self, engine: sql.Engine, client: redis.Redis) -> None:
        self._engine, self._client = engine, client

    def put(self, name: str, users: Sequence[str], *, added: bool, reason: str | None, by: str, now: int) -> int:
        """How many of them were not there (or, `added` False, were there) before."""
        key = key_of(name)
        change = {"list": key, "added": added, "reason": reason, "changed_by": by[:190], "changed_at": now}
        try:
            with self._engine.begin() as connection:
                connection.execute(CHANGES.insert(), [{**change, "user_id": user} for user in users])
                act = self._client.sadd if added else self._client.srem
                return cast(int, act(key, *users))
        except SQLAlchemyError as error:
            raise away(error) from None

    def size(self, name: str) -> int:
        return cast(int, self._client.scard(key_of(name)))

    def members(self, name: str, after: int, about: int) -> tuple[list[str], int]:
        """About so many of them, sorted, and after which place (0: at the beginning) others come; 0: there are none.

        Redis gives a set in no order, and while it changes somebody may come twice."""
        place, found = cast(tuple[int, list[bytes]], self._client.sscan(key_of(name), after, count=about))
        return sorted({member.decode("utf-8", "replace") for member in found}), place

    def latest(self, name: str, users: Sequence[str]) -> dict[str, Change]:
        """The last change of each of them, of those who were removed too; none of members that another program put
        there."""
        columns = [CHANGES.c[field] for field in Change.__struct_fields__]
        there = (CHANGES.c.list == key_of(name)) & CHANGES.c.user_id.in_(users)
        query = sql.select(*columns).where(there).order_by(CHANGES.c.id)
        try:
            with self._engine.connect() as connection:
                return {row[0]: Change(*row) for row in connection.execute(query)}
        except SQLAlchemyError as error:
            raise away(error) from None


def key_of(name: str) -> str:
    """Of the Redis set."""
    return name if name.startswith(CROWD) else LIST + name
