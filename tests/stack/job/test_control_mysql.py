"""The control database on a real MariaDB: the switch, approvals, users, and the log's chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sql

from kairos.adapters.control.tables import METADATA
from kairos.adapters.database.audit_log import METADATA as LOG
from kairos.apps.stack import Stack
from tests.unit.control import control_contract as contract

pytestmark = pytest.mark.stack


def test_mysql(own_stack: Callable[..., Stack]) -> None:
    address = own_stack("mariadb").settings.mysql_url
    for check in contract.CHECKS:
        check(address)
        engine = sql.create_engine(address)
        with engine.begin() as connection:
            for table in (*METADATA.tables.values(), *LOG.tables.values()):
                connection.execute(table.delete())
        engine.dispose()
