"""Where the audit reads: releases that are still known, and a ledger at which workers go on writing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sql

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.delivery.ledger import Call, Change, Row
from kairos.adapters.delivery.ledger_reader import LedgerReaderError, open_ledger_reader
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.rules.files import newest_change, read_folder
from kairos.adapters.rules.history import read_releases, release_rows
from kairos.adapters.rules.store import RuleStoreError
from kairos.adapters.rules.store_sql import RELEASES, SqlRuleStore
from kairos.engine.rule.load import load
from kairos.engine.rule.release import Release
from tests.unit.audit.story import RULES

FIRST = Row("k1", "a", "u1", "o", 1, "sms", "reserved", "w", 9, 1, 5)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


def test_all_good_releases_of_a_database_without_their_seeds(address: str) -> None:
    store = SqlRuleStore(address)
    store.publish(Release(1, RULES, seeds={"m": {"u1": [1]}}), {}, "me")
    store.publish(Release(2, RULES, 77), {}, "me")
    row = {"number": 3, "effective_at": 99, "published_at": 99, "author": "me", "body": b"broken"}
    engine = sql.create_engine(address)
    with engine.begin() as connection:
        connection.execute(RELEASES.insert(), row)
    engine.dispose()
    assert read_releases(address) == [Release(1, RULES), Release(2, RULES, 77)]


def test_a_folder_has_its_newest() -> None:
    folder = Path(__file__).parents[3] / "rules"
    assert [(r.number, r.effective_at, r.rules) for r in read_releases(str(folder))] == [
        (1, 0, load(read_folder(folder)).rules)
    ]


def test_no_release_is_said(address: str, tmp_path: Path) -> None:
    with pytest.raises(RuleStoreError, match=r"there is no file .*store\.db"):
        read_releases(address)
    sql.create_engine(address).connect().close()
    with pytest.raises(RuleStoreError, match="has no release"):
        read_releases(address)
    with pytest.raises(RuleStoreError, match="there is no such folder"):
        read_releases(str(tmp_path / "nowhere"))
    with pytest.raises(RuleStoreError) as refused:
        read_releases("mysql+pymysql://me:geheim@127.0.0.1:1/x")
    assert "geheim" not in str(refused.value)


def test_rows_and_calls_are_of_one_moment(address: str) -> None:
    """A worker goes on in between; its new row and call are of the next audit."""
    engine = open_engine(address)
    create_tables(engine)
    ledger = SqlLedger(engine)
    ledger.apply([Change(None, FIRST, Call("k1", 1, "w", 5))])
    with open_ledger_reader(address) as reader:
        assert list(reader.rows()) == [FIRST]
        settled = msgspec.structs.replace(FIRST, state="sent", settled_at=6)
        ledger.apply([Change(FIRST, settled, Call("k1", 1, "w", 5, 6, "accepted"))])
        assert list(reader.calls()) == [Call("k1", 1, "w", 5)]
    with open_ledger_reader(address) as reader:
        assert [row.state for row in reader.rows()] == ["sent"]
        assert [call.outcome for call in reader.calls()] == ["accepted"]
    engine.dispose()


def test_a_ledger_that_is_none(address: str, tmp_path: Path) -> None:
    with pytest.raises(LedgerReaderError, match="there is no file"), open_ledger_reader(address):
        pass
    sql.create_engine(address).connect().close()
    with open_ledger_reader(address) as reader, pytest.raises(LedgerReaderError, match="no table delivery_ledger"):
        list(reader.rows())
    with pytest.raises(LedgerReaderError, match="is not usable"), open_ledger_reader("no-database://x"):
        pass
    away = "mysql+pymysql://me:geheim@127.0.0.1:1/x"
    with pytest.raises(LedgerReaderError, match="does not answer") as refused, open_ledger_reader(away):
        pass
    assert "geheim" not in str(refused.value)


def test_a_folder_s_release_is_as_old_as_its_newest_change(tmp_path: Path) -> None:
    """Not of 1970: the store itself knows no time of the first one."""
    (tmp_path / "policy.yaml").write_text("")
    (row,) = release_rows(str(tmp_path))
    assert row.published_at == newest_change(tmp_path)
