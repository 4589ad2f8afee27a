"""What the migrations do, whatever the database: run by tests of SQLite and of MariaDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sql
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kairos.adapters.control import tables as control_tables
from kairos.adapters.database import audit_log, schedule_runs
from kairos.adapters.database.connection import open_engine
from kairos.adapters.database.migrations import HEAD, VERSION_TABLE, migrate, version_of
from kairos.adapters.delivery import engine_lease
from kairos.adapters.delivery import tables as delivery_tables
from kairos.adapters.profiles import user_lists
from kairos.adapters.rules import store_sql as sql_rule_store
from kairos.adapters.sources import tables as sources_tables

MODULES = (
    audit_log,
    control_tables,
    delivery_tables,
    engine_lease,
    schedule_runs,
    sources_tables,
    sql_rule_store,
    user_lists,
)
ALL = [module.METADATA for module in MODULES]


def check_the_scripts_make_what_the_modules_say(engine: sql.Engine) -> None:
    migrate(engine)
    assert differences(engine) == []


def check_many_may_begin_at_once(engine: sql.Engine) -> None:
    def begin(_number: int) -> None:
        own = open_engine(engine.url.render_as_string(hide_password=False))
        migrate(own)
        own.dispose()

    with ThreadPoolExecutor(8) as together:
        assert len(list(together.map(begin, range(8)))) == 8
    assert differences(engine) == []


def check_tables_from_before_there_were_scripts_stay_with_what_is_in_them(engine: sql.Engine) -> None:
    for metadata in (delivery_tables.METADATA, sql_rule_store.METADATA):
        metadata.create_all(engine)
    row = {"channel": "sms", "paused": True, "changed_by": "ann", "changed_at": 1}
    with engine.begin() as connection:
        connection.execute(delivery_tables.CONTROLS.insert(), row)
    migrate(engine)
    assert differences(engine) == []
    with engine.connect() as connection:
        assert connection.execute(sql.select(delivery_tables.CONTROLS.c.channel)).scalars().all() == ["sms"]


def check_a_database_that_is_newer_is_left_alone(engine: sql.Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sql.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    migrate(engine)
    assert version_of(engine) == "9999"


def check_a_migration_that_was_cut_goes_on(engine: sql.Engine) -> None:
    """MySQL commits each table as it is made, the version only after."""
    migrate(engine)
    for reached in ("0001", "0002"):
        with engine.begin() as connection:
            connection.execute(sql.text(f"UPDATE {VERSION_TABLE} SET version_num = '{reached}'"))
        migrate(engine)
    with engine.begin() as connection:
        connection.execute(sql.text(f"DELETE FROM {VERSION_TABLE}"))
    migrate(engine)
    assert differences(engine) == []


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]


def differences(engine: sql.Engine) -> list[object]:
    assert version_of(engine) == HEAD
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return list(compare_metadata(context, ALL))  # type: ignore[arg-type]


def clear(engine: sql.Engine) -> None:
    for metadata in ALL:
        metadata.drop_all(engine)
    with engine.begin() as connection:
        connection.execute(sql.text(f"DROP TABLE IF EXISTS {VERSION_TABLE}"))
