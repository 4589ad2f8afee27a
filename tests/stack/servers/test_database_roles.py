"""On a real MariaDB: migrations, and that each process can do its work with its own user, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.roles import ROLES
from kairos.adapters.delivery.controls import Controls
from kairos.adapters.delivery.ledger_reader import open_ledger_reader
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.rules.store import RuleStoreError, open_rule_store
from kairos.adapters.sources.port import SourceStoreError
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.apps.stack import Stack
from kairos.apps.stack.settings import StackSettings
from kairos.engine.rule.model import EventSchema, Source
from tests import database_contract
from tests.delivery import ledger_contract
from tests.delivery.test_ledger import calls_in
from tests.unit.adapters.rule_store_contract import release

pytestmark = pytest.mark.stack

SHOP = Source("shop", {"order": EventSchema({})})
FIRST_COLUMNS = {
    table.name: table.columns[0].name for metadata in database_contract.ALL for table in metadata.sorted_tables
}
DENIED = (1044, 1045, 1142, 1227)


@contextmanager
def opened(address: str) -> Iterator[sql.Engine]:
    engine = open_engine(address)
    yield engine
    engine.dispose()


def test_mariadb(own_stack: Callable[..., Stack]) -> None:
    settings = own_stack("mariadb").settings
    for check in (job, gateway, worker, audit):
        check(settings)
    for role in ROLES:
        nothing_else(role, settings.mysql_url_of(role))
    with opened(settings.mysql_url) as engine:
        for migration in database_contract.CHECKS:
            database_contract.clear(engine)
            migration(engine)


def job(settings: StackSettings) -> None:
    """Reads rules and sources. Who publishes, publishes."""
    open_rule_store(settings.mysql_url_of("publish")).publish(release(1), {}, "ann")
    SqlSourceStore(settings.mysql_url).put(SHOP, "ann")
    address = settings.mysql_url_of("job")
    assert open_rule_store(address).latest(0) == release(1)
    assert SqlSourceStore(address).read().entries.keys() == {"shop"}
    with pytest.raises(RuleStoreError, match="INSERT command denied"):
        open_rule_store(address).publish(release(2), {}, "mallory")
    with pytest.raises(SourceStoreError, match="denied"):
        SqlSourceStore(address).put(SHOP, "mallory")


def gateway(settings: StackSettings) -> None:
    assert SqlSourceStore(settings.mysql_url_of("gateway")).read().entries.keys() == {"shop"}


def worker(settings: StackSettings) -> None:
    """Keeps the ledger; reads its channel's controls, may pause it, and says that it is there."""
    with opened(settings.mysql_url_of("worker")) as engine, opened(settings.mysql_url) as owner:
        create_tables(engine)
        for check in ledger_contract.CHECKS:
            check(SqlLedger(engine), lambda: calls_in(engine))
            with owner.begin() as connection:
                for table in ("delivery_ledger", "delivery_calls"):
                    connection.execute(sql.text(f"DELETE FROM {table}"))
        controls = Controls(engine)
        controls.pause("sms", "misconfigured", "worker", 1)
        assert controls.read("sms").paused
        assert controls.beat("w1", "sms", 1_000) == 1
        controls.leave("w1")
    assert open_rule_store(settings.mysql_url_of("worker")).latest(0) == release(1)


def audit(settings: StackSettings) -> None:
    with open_ledger_reader(settings.mysql_url_of("audit")) as reader:
        assert (list(reader.rows()), list(reader.calls()), reader.paused()) == ([], [], {"sms"})


def nothing_else(role: str, address: str) -> None:
    with opened(address) as engine:
        for table, column in FIRST_COLUMNS.items():
            for verb, statement in {
                "SELECT": f"SELECT * FROM {table} LIMIT 1",
                "UPDATE": f"UPDATE {table} SET `{column}` = `{column}` WHERE 1 = 0",
                "DELETE": f"DELETE FROM {table} LIMIT 0",
                "INSERT": f"INSERT INTO {table} () SELECT * FROM (SELECT 1) AS nothing WHERE 1 = 0",
                "DROP": f"DROP TABLE {table}",
                "ALTER": f"ALTER TABLE {table} COMMENT 'x'",
            }.items():
                granted = verb in ROLES[role].get(table, "").split(", ")
                assert allowed(engine, statement) == granted, f"{role}: {verb} on {table}"
        assert not allowed(engine, "CREATE TABLE mine (n INT)")
        assert not allowed(engine, "SELECT * FROM mysql.user")
        assert not allowed(engine, "SELECT 1 INTO OUTFILE 'kairos-role'")


def allowed(engine: sql.Engine, statement: str) -> bool:
    """Whether the server does not refuse it for want of a right; it may refuse it for something else."""
    try:
        with engine.begin() as connection:
            connection.execute(sql.text(statement))
    except DBAPIError as error:
        return error.orig is None or error.orig.args[0] not in DENIED
    return True
