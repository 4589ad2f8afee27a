"""The tables of delivery, in SQLite or MySQL/MariaDB: the ledger, every call to a provider, and what people set.

Times are epoch ms of the worker's clock.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sql

from kairos.adapters.database.column_types import NAME, TEXT

METADATA = sql.MetaData()

LEDGER = sql.Table(
    "delivery_ledger",
    METADATA,
    # `delivery_key` of (activity, user, occurrence, attempt): the first row wins.
    sql.Column("key", sql.String(32), primary_key=True),
    sql.Column("activity", NAME, nullable=False),
    sql.Column("user_id", TEXT, nullable=False),
    sql.Column("occurrence", sql.String(32), nullable=False),
    sql.Column("attempt", sql.Integer, nullable=False),
    sql.Column("channel", sql.String(32), nullable=False),
    # reserved (a call may be under way) | retry (certainly not taken so far) | and, final:
    # sent | unknown | failed | expired | recalled | released (handed back: quiet hours)
    sql.Column("state", sql.String(16), nullable=False),
    sql.Column("worker", sql.String(64), nullable=False),
    # until when the reservation is its worker's alone: after that whoever finds it may judge it `unknown`
    sql.Column("lease_until", sql.BigInteger, nullable=False),
    sql.Column("calls", sql.Integer, nullable=False),
    sql.Column("reserved_at", sql.BigInteger, nullable=False),
    sql.Column("settled_at", sql.BigInteger),
    sql.Column("provider_id", sql.String(190)),
    sql.Column("reason", TEXT),
    sql.Index("delivery_by_provider", "channel", "provider_id"),
)

CALLS = sql.Table(
    "delivery_calls",
    METADATA,
    # One row for each call to a provider, written before it is made: the evidence that `kairos audit` reads.
    sql.Column("key", sql.String(32), primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("worker", sql.String(64), nullable=False),
    sql.Column("started_at", sql.BigInteger, nullable=False),
    sql.Column("ended_at", sql.BigInteger),
    # accepted | retry | rejected | dead_address | refused | misconfigured | unknown; null: nobody lived to write it
    sql.Column("outcome", sql.String(16)),
    sql.Column("reason", TEXT),
)

CONTROLS = sql.Table(
    "delivery_channels",
    METADATA,
    # What people set while workers run; a worker looks once a second. `rate`: calls a second over all workers of the
    # channel, null: no threshold.
    sql.Column("channel", sql.String(32), primary_key=True),
    sql.Column("rate", sql.Float),
    sql.Column("paused", sql.Boolean, nullable=False),
    sql.Column("reason", TEXT),
    sql.Column("changed_by", sql.String(190), nullable=False),
    sql.Column("changed_at", sql.BigInteger, nullable=False),
)

WORKERS = sql.Table(
    "delivery_workers",
    METADATA,
    # Who is at work, seen within the last seconds: workers of a channel share its rate.
    sql.Column("worker", sql.String(64), primary_key=True),
    sql.Column("channel", sql.String(32), nullable=False),
    sql.Column("seen_at", sql.BigInteger, nullable=False),
)

FINAL = frozenset({"sent", "unknown", "failed", "expired", "recalled", "released"})


def delivery_key(activity: str, user_id: str, occurrence: str, attempt: int) -> str:
    """32 hex digits. The channel is no part of it: a replay that decides for another channel cannot send twice."""
    parts = "\0".join((activity, user_id, occurrence, str(attempt)))
    return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
