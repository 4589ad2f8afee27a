"""Releases of the rules, and all that delivery keeps. Databases from before there were scripts have these already."""

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.migrations.steps import add_index, add_table

revision = "0002"
down_revision = "0001"

_TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    add_table(
        "rule_releases",
        sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("effective_at", sql.BigInteger, nullable=False),
        sql.Column("published_at", sql.BigInteger, nullable=False),
        sql.Column("author", sql.String(200), nullable=False),
        sql.Column("body", sql.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
    )
    _ledger()
    _calls()
    add_table(
        "delivery_channels",
        sql.Column("channel", sql.String(32), primary_key=True),
        sql.Column("rate", sql.Float),
        sql.Column("paused", sql.Boolean, nullable=False),
        sql.Column("reason", _TEXT),
        sql.Column("changed_by", sql.String(190), nullable=False),
        sql.Column("changed_at", sql.BigInteger, nullable=False),
    )
    add_table(
        "delivery_workers",
        sql.Column("worker", sql.String(64), primary_key=True),
        sql.Column("channel", sql.String(32), nullable=False),
        sql.Column("seen_at", sql.BigInteger, nullable=False),
    )


def _ledger() -> None:
    add_table(
        "delivery_ledger",
        sql.Column("key", sql.String(32), primary_key=True),
        sql.Column("activity", _NAME, nullable=False),
        sql.Column("user_id", _TEXT, nullable=False),
        sql.Column("occurrence", sql.String(32), nullable=False),
        sql.Column("attempt", sql.Integer, nullable=False),
        sql.Column("channel", sql.String(32), nullable=False),
        sql.Column("state", sql.String(16), nullable=False),
        sql.Column("worker", sql.String(64), nullable=False),
        sql.Column("lease_until", sql.BigInteger, nullable=False),
        sql.Column("calls", sql.Integer, nullable=False),
        sql.Column("reserved_at", sql.BigInteger, nullable=False),
        sql.Column("settled_at", sql.BigInteger),
        sql.Column("provider_id", sql.String(190)),
        sql.Column("reason", _TEXT),
    )
    add_index("delivery_by_provider", "delivery_ledger", "channel", "provider_id")


def _calls() -> None:
    add_table(
        "delivery_calls",
        sql.Column("key", sql.String(32), primary_key=True),
        sql.Column("number", sql.Integer, primary_key=True),
        sql.Column("worker", sql.String(64), nullable=False),
        sql.Column("started_at", sql.BigInteger, nullable=False),
        sql.Column("ended_at", sql.BigInteger),
        sql.Column("outcome", sql.String(16)),
        sql.Column("reason", _TEXT),
    )
