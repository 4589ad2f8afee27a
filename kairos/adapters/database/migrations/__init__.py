"""The tables of rules, sources and delivery as they came about: alembic's scripts, and the call that runs them.

To change a table: write the next script in `versions`, raise HEAD, and change the module of the table. Scripts only
add: processes of the version before go on with what is newer than they are.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sql
from alembic import command
from alembic.config import Config

HEAD = "0014"
VERSION_TABLE = "kairos_migrations"
LOCK = "kairos-migrations"
LOCK_SECONDS = 60


def migrate(engine: sql.Engine) -> None:
    """Up to HEAD; one process at a time. Raises sqlalchemy.exc.SQLAlchemyError.

    What is up to date is only looked at: that takes no right to make tables, and no script at hand.
    """
    if version_of(engine) >= HEAD:
        return
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        if engine.dialect.name == "sqlite":  # a transaction here is a lock, and tables are made within it
            with connection.begin():
                command.upgrade(config, "head")
            return
        connection.execute(sql.text("SELECT GET_LOCK(:name, :seconds)"), {"name": LOCK, "seconds": LOCK_SECONDS})
        try:
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.execute(sql.text("SELECT RELEASE_LOCK(:name)"), {"name": LOCK})
            connection.commit()


def version_of(engine: sql.Engine) -> str:
    """ "" : nothing is there. Raises sqlalchemy.exc.SQLAlchemyError."""
    with engine.connect() as connection:
        if not sql.inspect(connection).has_table(VERSION_TABLE):
            return ""
        return connection.execute(sql.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() or ""
