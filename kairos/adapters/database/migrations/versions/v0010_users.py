"""Users, their tokens and sessions, and how often somebody has failed to sign in."""

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.migrations.steps import add_table

revision = "0010"
down_revision = "0009"

_TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    add_table(
        "users",
        sql.Column("name", _NAME, primary_key=True),
        sql.Column("password", sql.String(200)),
        sql.Column("roles", _TEXT, nullable=False),
        sql.Column("disabled", sql.Boolean, nullable=False),
        sql.Column("created_at", sql.BigInteger, nullable=False),
    )
    add_table(
        "api_tokens",
        sql.Column("id", sql.String(16), primary_key=True),
        sql.Column("user", _NAME, nullable=False),
        sql.Column("secret", sql.String(64), nullable=False),
        sql.Column("title", sql.String(190), nullable=False),
        sql.Column("created_at", sql.BigInteger, nullable=False),
        sql.Column("expires_at", sql.BigInteger, nullable=False),
        sql.Column("revoked", sql.Boolean, nullable=False),
    )
    add_table(
        "sessions",
        sql.Column("id", sql.String(64), primary_key=True),
        sql.Column("user", _NAME, nullable=False),
        sql.Column("csrf", sql.String(64), nullable=False),
        sql.Column("expires_at", sql.BigInteger, nullable=False),
    )
    add_table(
        "sign_in_failures",
        sql.Column("subject", _NAME, primary_key=True),
        sql.Column("failures", sql.Integer, nullable=False),
        sql.Column("until", sql.BigInteger, nullable=False),
    )
