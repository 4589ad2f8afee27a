"""The ledger on a real MariaDB."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.delivery.tables import METADATA
from kairos.apps.stack import Stack
from tests.delivery import ledger_contract as contract
from tests.delivery.test_ledger import calls_in

pytestmark = pytest.mark.stack


def test_mariadb(own_stack: Callable[..., Stack]) -> None:
    engine = open_engine(own_stack("mariadb").settings.mysql_url)
    create_tables(engine)
    for check in contract.CHECKS:
        check(SqlLedger(engine), lambda: calls_in(engine))
        with engine.begin() as connection:
            for table in METADATA.sorted_tables:
                connection.execute(table.delete())
    engine.dispose()
