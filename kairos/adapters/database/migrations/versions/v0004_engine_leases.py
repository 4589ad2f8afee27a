"""Which engine may decide."""

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.migrations.steps import add_table

revision = "0004"
down_revision = "0003"

_TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    add_table(
        "engine_leases",
        sql.Column("lease", sql.String(16), primary_key=True),
        sql.Column("generation", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("scope", _TEXT, nullable=False),
        sql.Column("holder", _NAME, nullable=False),
        sql.Column("taken_at", sql.BigInteger, nullable=False),
        sql.Column("seen_at", sql.BigInteger, nullable=False),
    )
