"""Who put whom on which list."""

import sqlalchemy as sql
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

_TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "user_list_changes",
        sql.Column("id", sql.BigInteger().with_variant(sql.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sql.Column("list", _NAME, nullable=False, index=True),
        sql.Column("user_id", _TEXT, nullable=False),
        sql.Column("added", sql.Boolean, nullable=False),
        sql.Column("reason", _TEXT),
        sql.Column("changed_by", _NAME, nullable=False),
        sql.Column("changed_at", sql.BigInteger, nullable=False),
    )
