"""The log of what people have done: each entry holds the hash of the one before it, so none can be changed alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sql

from kairos.adapters.database.column_types import NAME

METADATA = sql.MetaData()
MOST_NAME = 190

AUDIT_LOG = sql.Table(
    "audit_log",
    METADATA,
    # Never changed. `hash`: SHA-256 over `prev`, the hash of the entry before, and this entry as canonical JSON.
    # `before_hash`, `after_hash`: of the row that was written, as it was and as it is; "" where there is none.
    sql.Column("seq", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("at_ms", sql.BigInteger, nullable=False),
    sql.Column("actor", NAME, nullable=False),
    sql.Column("action", sql.String(40), nullable=False),
    sql.Column("subject", NAME, nullable=False),
    sql.Column("before_hash", sql.String(64), nullable=False),
    sql.Column("after_hash", sql.String(64), nullable=False),
    sql.Column("prev", sql.String(64), nullable=False),
    sql.Column("hash", sql.String(64), nullable=False),
    sql.Index("audit_log_by_subject", "subject"),
)


class Deed(msgspec.Struct, frozen=True):
    """Who did what to what, when (epoch ms). `subject`: kind and name, as "activity/cart_left"."""

    actor: str
    action: str
    subject: str
    at: int


class Entry(msgspec.Struct, frozen=True):
    """A row of the log; see its table."""

    seq: int
    at_ms: int
    actor: str
    action: str
    subject: str
    before_hash: str
    after_hash: str
    prev: str
    hash: str

    def computed(self) -> str:
        """The hash that it ought to have."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if name not in ("prev", "hash")}
        return hashlib.sha256(self.prev.encode() + canonical(said)).hexdigest()


def canonical(row: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no blanks, UTF-8."""
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def row_hash(row: Mapping[str, Any] | None) -> str:
    """Of a row of any table, by column; "" of none."""
    return "" if row is None else hashlib.sha256(canonical(row)).hexdigest()


def next_number(connection: sql.Connection) -> int:
    """The number of the next entry. Whoever else appends at the same time fails, and begins again."""
    return int(connection.execute(sql.select(sql.func.coalesce(sql.func.max(AUDIT_LOG.c.seq), 0))).scalar_one()) + 1


def append(
    connection: sql.Connection, deed: Deed, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> int:
    """Appends an entry, in the transaction that writes the row. Returns its number."""
    seq = next_number(connection)
    newest = sql.select(AUDIT_LOG.c.hash).where(AUDIT_LOG.c.seq == seq - 1)
    prev = str(connection.execute(newest).scalar_one_or_none() or "")
    actor, subject = deed.actor[:MOST_NAME], deed.subject[:MOST_NAME]
    entry = Entry(seq, deed.at, actor, deed.action, subject, row_hash(before), row_hash(after), prev, "")
    entry = msgspec.structs.replace(entry, hash=entry.computed())
    connection.execute(AUDIT_LOG.insert(), msgspec.structs.asdict(entry))
    return seq


def add(connection: sql.Connection, table: sql.Table, row: Mapping[str, Any], deed: Deed) -> int:
    """A new row, with its entry in the log."""
    seq = append(connection, deed, None, row)
    connection.execute(table.insert(), dict(row))
    return seq


class OvertakenError(Exception):
    """Somebody else has changed the row since it was read."""


def change(connection: sql.Connection, table: sql.Table, before: Mapping[str, Any], deed: Deed, **values: Any) -> None:
    """A row that still is as it was read, with its entry in the log. Raises OvertakenError where it is not."""
    append(connection, deed, before, {**before, **values})
    as_read = [table.c[name].is_not_distinct_from(value) for name, value in before.items()]
    if connection.execute(table.update().where(*as_read), values).rowcount != 1:
        raise OvertakenError
