"""The control plane's tables as they came about: alembic's scripts, and the one call that runs what is missing.

To change a table: write the next script in `versions`, and the same in the module of the table.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sql
from alembic import command
from alembic.config import Config

VERSION_TABLE = "kairos_migrations"
LOCK = "kairos-migrations"
LOCK_SECONDS = 60


def migrate(engine: sql.Engine) -> None:
    """Up to the newest version; one process at a time. Raises sqlalchemy.exc.SQLAlchemyError."""
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
