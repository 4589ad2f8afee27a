"""The ledger in memory and in SQLite keeps the contract that MariaDB keeps in `tests/stack`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sql

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.errors import DatabaseAwayError, DatabaseError
from kairos.adapters.delivery.ledger import Call
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.delivery.tables import CALLS
from tests.delivery import ledger_contract as contract
from tests.delivery.memory_ledger import MemoryLedger


def calls_in(engine: sql.Engine) -> dict[tuple[str, int], Call]:
    with engine.connect() as connection:
        columns = [CALLS.c[name] for name in Call.__struct_fields__]
        return {(c.key, c.number): c for c in (Call(*values) for values in connection.execute(sql.select(*columns)))}


@pytest.mark.parametrize("check", contract.CHECKS)
def test_sqlite(check: Callable[..., None], tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/new folder/delivery.db")
    create_tables(engine)
    check(SqlLedger(engine), lambda: calls_in(engine))
    made = [tmp_path / "new folder", *(tmp_path / "new folder").iterdir()]
    assert [oct(path.stat().st_mode & 0o077) for path in made] == ["0o0"] * len(made)


@pytest.mark.parametrize("check", [c for c in contract.CHECKS if c is not contract.check_workers_that_race])
def test_memory(check: Callable[..., None]) -> None:
    ledger = MemoryLedger()
    check(ledger, lambda: ledger.calls)


def test_a_database_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    ledger = SqlLedger(open_engine("mysql+pymysql://kairos:secret@127.0.0.1:1/kairos"))
    for attempt in (lambda: ledger.apply([contract.Change(None, contract.row())]), lambda: ledger.find("k")):
        with pytest.raises(DatabaseAwayError, match="does not answer") as raised:
            attempt()
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize("address", ["nonsense", "postgresql://u:secret@h/d", "oracel://h"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(DatabaseError) as raised:
        open_engine(address)
    assert "secret" not in str(raised.value)


def test_tables_cannot_be_made_where_nobody_answers() -> None:
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:1") as raised:
        create_tables(open_engine("mysql+pymysql://kairos:secret@127.0.0.1:1/kairos"))
    assert "secret" not in str(raised.value)
