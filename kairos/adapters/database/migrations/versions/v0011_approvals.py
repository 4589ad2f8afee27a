"""Who has agreed to what."""

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.migrations.steps import add_index, add_table

revision = "0011"
down_revision = "0010"

_TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    add_table(
        "approvals",
        sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("subject", _NAME, nullable=False),
        sql.Column("meaning_hash", sql.String(64), nullable=False),
        sql.Column("plan_hash", sql.String(64), nullable=False),
        sql.Column("step", sql.String(100), nullable=False),
        sql.Column("policy", _TEXT, nullable=False),
        sql.Column("requested_by", _NAME, nullable=False),
        sql.Column("requested_at", sql.BigInteger, nullable=False),
        sql.Column("decision", sql.String(16)),
        sql.Column("decided_by", _NAME),
        sql.Column("decided_at", sql.BigInteger),
        sql.Column("comment", _TEXT),
        sql.Column("expires_at", sql.BigInteger, nullable=False),
    )
    add_index("approvals_by_subject", "approvals", "subject")
    add_table(
        "submissions",
        sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("emergency", sql.BigInteger),
        sql.Column("body", sql.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
    )
