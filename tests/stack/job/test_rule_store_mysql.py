"""The rule store on a real MariaDB."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sql

from kairos.adapters.rules.store_sql import RELEASES
from kairos.apps.stack import Stack
from tests.unit.adapters import rule_store_contract as contract

pytestmark = pytest.mark.stack


def test_mysql(own_stack: Callable[..., Stack]) -> None:
    address = own_stack("mariadb").settings.mysql_url
    for check in (
        contract.check_publish_and_poll,
        contract.check_large_release,
        contract.check_overtaken,
        contract.check_broken_row,
    ):
        check(address)
        engine = sql.create_engine(address)
        with engine.begin() as connection:
            connection.execute(RELEASES.delete())
        engine.dispose()
