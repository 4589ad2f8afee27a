"""Sources, their API keys, and who changed what."""

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.migrations.steps import add_index, add_table

revision = "0001"
down_revision = None

_TEXT = sql.Text().with_variant(mysql.MEDIUMTEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    add_table(
        "sources",
        sql.Column("name", _NAME, primary_key=True),
        sql.Column("enabled", sql.Boolean, nullable=False),
        sql.Column("definition", _TEXT, nullable=False),
        sql.Column("rate", sql.Double),
        sql.Column("max_bytes", sql.Integer),
        sql.Column("hmac", _TEXT),
        sql.Column("changed_by", _NAME, nullable=False),
        sql.Column("changed_at", sql.BigInteger, nullable=False),
    )
    add_table(
        "source_keys",
        sql.Column("hash", sql.String(64), primary_key=True),
        sql.Column("source", _NAME, nullable=False),
        sql.Column("label", _NAME, nullable=False),
        sql.Column("created_by", _NAME, nullable=False),
        sql.Column("created_at", sql.BigInteger, nullable=False),
    )
    add_index("ix_source_keys_source", "source_keys", "source")
    add_table(
        "source_changes",
        sql.Column("id", sql.BigInteger().with_variant(sql.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sql.Column("source", _NAME, nullable=False),
        sql.Column("what", _TEXT, nullable=False),
        sql.Column("changed_by", _NAME, nullable=False),
        sql.Column("changed_at", sql.BigInteger, nullable=False),
    )
    add_index("ix_source_changes_source", "source_changes", "source")
