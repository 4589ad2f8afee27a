"""The control database on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.control import control_contract as contract


@pytest.mark.parametrize("check", contract.CHECKS)
def test_sqlite(check: Callable[[str], None], tmp_path: Path) -> None:
    check(f"sqlite:///{tmp_path}/rules.db")
