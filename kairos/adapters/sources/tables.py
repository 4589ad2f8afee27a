"""The tables of sources, in SQLite or MySQL/MariaDB. Times are epoch ms.

How they came about is in `migrations`; a test holds the two together.
"""

from __future__ import annotations

import sqlalchemy as sql

from kairos.adapters.database.column_types import LONG_TEXT, NAME, SERIAL

METADATA = sql.MetaData()

SOURCES = sql.Table(
    "sources",
    METADATA,
    sql.Column("name", NAME, primary_key=True),
    sql.Column("enabled", sql.Boolean, nullable=False),
    # its record of sources.yaml
    sql.Column("definition", LONG_TEXT, nullable=False),
    # events a second; null: no limit
    sql.Column("rate", sql.Double),
    # of one event; null: what any event may have
    sql.Column("max_bytes", sql.Integer),
    # 0 to 100; null: 50
    sql.Column("priority", sql.Integer),
    # JSON of a reference to the secret, never the secret
    sql.Column("hmac", LONG_TEXT),
    sql.Column("changed_by", NAME, nullable=False),
    sql.Column("changed_at", sql.BigInteger, nullable=False),
)

KEYS = sql.Table(
    "source_keys",
    METADATA,
    # SHA-256 of the API key, in hex
    sql.Column("hash", sql.String(64), primary_key=True),
    sql.Column("source", NAME, nullable=False, index=True),
    sql.Column("label", NAME, nullable=False),
    sql.Column("created_by", NAME, nullable=False),
    sql.Column("created_at", sql.BigInteger, nullable=False),
)

CHANGES = sql.Table(
    "source_changes",
    METADATA,
    sql.Column("id", SERIAL, primary_key=True, autoincrement=True),
    sql.Column("source", NAME, nullable=False, index=True),
    sql.Column("what", LONG_TEXT, nullable=False),
    sql.Column("changed_by", NAME, nullable=False),
    sql.Column("changed_at", sql.BigInteger, nullable=False),
)
