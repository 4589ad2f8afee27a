"""Column types that mean the same in SQLite and in MySQL/MariaDB. The migrations have them as they were at the time."""

from __future__ import annotations

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

_MYSQL = ("mysql", "mariadb")

# Binary comparison: "U1" and "u1" are two users, whatever the database's default says.
TEXT = sql.Text().with_variant(mysql.TEXT(collation="utf8mb4_bin"), *_MYSQL)
LONG_TEXT = sql.Text().with_variant(mysql.MEDIUMTEXT(collation="utf8mb4_bin"), *_MYSQL)
NAME = sql.String(190).with_variant(mysql.VARCHAR(190, collation="utf8mb4_bin"), *_MYSQL)
SERIAL = sql.BigInteger().with_variant(sql.Integer, "sqlite")  # only this counts by itself there
