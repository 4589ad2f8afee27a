"""Who put whom on which list."""

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.migrations.steps import add_index, add_table

revision = "0003"
down_revision = "0002"

_TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    add_table(
        "user_list_changes",
        sql.Column("id", sql.BigInteger().with_variant(sql.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sql.Column("list", _NAME, nullable=False),
        sql.Column("user_id", _TEXT, nullable=False),
        sql.Column("added", sql.Boolean, nullable=False),
        sql.Column("reason", _TEXT),
        sql.Column("changed_by", _NAME, nullable=False),
        sql.Column("changed_at", sql.BigInteger, nullable=False),
    )
    add_index("ix_user_list_changes_list", "user_list_changes", "list")
