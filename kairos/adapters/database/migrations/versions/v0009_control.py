"""The switch of each activity, and the log of what was done."""

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.migrations.steps import add_index, add_table

revision = "0009"
down_revision = "0005"

_TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    add_table(
        "audit_log",
        sql.Column("seq", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("at_ms", sql.BigInteger, nullable=False),
        sql.Column("actor", _NAME, nullable=False),
        sql.Column("action", sql.String(40), nullable=False),
        sql.Column("subject", _NAME, nullable=False),
        sql.Column("before_hash", sql.String(64), nullable=False),
        sql.Column("after_hash", sql.String(64), nullable=False),
        sql.Column("prev", sql.String(64), nullable=False),
        sql.Column("hash", sql.String(64), nullable=False),
    )
    add_index("audit_log_by_subject", "audit_log", "subject")
    add_table(
        "activity_states",
        sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("activity", _NAME, nullable=False),
        sql.Column("state", sql.String(16), nullable=False),
        sql.Column("since", sql.BigInteger, nullable=False),
        sql.Column("by", _NAME, nullable=False),
        sql.Column("reason", _TEXT, nullable=False),
    )
