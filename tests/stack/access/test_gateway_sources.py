"""The store of sources on a real MariaDB."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kairos.apps.stack import Stack
from tests.access import source_store_contract as contract

pytestmark = pytest.mark.stack


def test_mariadb(own_stack: Callable[..., Stack]) -> None:
    address = own_stack("mariadb").settings.mysql_url
    for check in contract.CHECKS:
        check(address)
        contract.clear(address)
