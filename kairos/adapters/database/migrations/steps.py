"""Steps of a script that may be taken twice: MySQL commits each by itself, so a migration that was cut goes on here."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sql
from alembic import op


def add_table(name: str, *columns: sql.Column[Any]) -> None:
    """Without indexes: those are steps of their own."""
    if not sql.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *columns)


def add_column(table: str, column: sql.Column[Any]) -> None:
    if column.name not in {known["name"] for known in sql.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def add_index(name: str, table: str, *columns: str) -> None:
    """Asked first: "IF NOT EXISTS" is known to MariaDB and SQLite, not to MySQL."""
    if name not in {index["name"] for index in sql.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, list(columns))
