"""What the scheduler has told, and how far it has got."""

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.migrations.steps import add_table

revision = "0005"
down_revision = "0004"

_TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    add_table(
        "schedule_activities",
        sql.Column("activity", _NAME, primary_key=True),
        sql.Column("planned_until", sql.BigInteger, nullable=False),
        sql.Column("meaning", sql.String(16), nullable=False),
        sql.Column("paused", _TEXT),
    )
    add_table(
        "schedule_runs",
        sql.Column("activity", _NAME, primary_key=True),
        sql.Column("slot", sql.String(16), primary_key=True),
        sql.Column("at", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("state", sql.String(16), nullable=False),
        sql.Column("begun_at", sql.BigInteger, nullable=False),
        sql.Column("ended_at", sql.BigInteger),
        sql.Column("place", sql.String(32), nullable=False),
        sql.Column("told", sql.BigInteger, nullable=False),
        sql.Column("expired", sql.BigInteger, nullable=False),
    )
