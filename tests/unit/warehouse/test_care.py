"""Few files, no old days, nobody who wants to be forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.warehouse.port import WarehouseError
from kairos.engine.warehouse.tables import TABLES
from kairos.usecases.warehouse.care import MANY, compact, forget, trim
from tests.unit.cli.cli_kit import run
from tests.unit.warehouse.test_load_run import run as load_a_run
from tests.unit.warehouse.warehouse_kit import DAY, NOON, decision, event, fill, receipt, rows


def test_many_small_files_of_a_day_become_one_and_the_answers_stay(tmp_path: Path) -> None:
    for number in range(MANY + 1):
        fill(tmp_path, events=[event(f"e{number}"), event(f"other{number}", NOON + number * DAY)])
    assert len(list(tmp_path.glob("events/dt=2026-11-02/*.parquet"))) < MANY
    assert len(rows(tmp_path, "events")) == 2 * MANY + 2
    assert compact(tmp_path) == 0


def test_the_files_of_a_day_stay_few_however_often_something_comes(tmp_path: Path) -> None:
    for number in range(3 * MANY):
        fill(tmp_path, events=[event(f"e{number}")])
        assert len(list(tmp_path.glob("events/*/*.parquet"))) < 2 * MANY
    assert len(rows(tmp_path, "events")) == 3 * MANY


def test_a_person_is_erased_from_every_table(tmp_path: Path) -> None:
    people = {"u1": {"email": "a@example.com"}, "u2": {}}
    told = [event(user_id=user) for user in people], [decision(user_id=user) for user in people]
    fill(tmp_path, events=told[0], decisions=told[1], receipts=[receipt(user=u) for u in people], profiles=people)
    assert forget(tmp_path, "u1") == {"events": 1, "decisions": 1, "receipts": 1, "profiles": 1}
    for name, table in TABLES.items():
        if "user_id" in table.types:
            assert {user for (user,) in rows(tmp_path, name, "user_id")} <= {"u2"}
    assert forget(tmp_path, "u1") == {}
    assert forget(tmp_path, "u2").total() == 4
    assert not list(tmp_path.glob("events/*/*.parquet"))


def test_calls_are_hers_by_the_key_of_the_ledger(tmp_path: Path) -> None:
    from kairos.adapters.delivery.tables import delivery_key

    load_a_run(tmp_path, "o1", key=delivery_key("hello", "u1", "o1", 1))
    assert forget(tmp_path / "w", "u1")["calls"] == 1
    assert rows(tmp_path / "w", "calls") == []


def test_days_that_are_too_old_go(tmp_path: Path) -> None:
    fill(
        tmp_path,
        events=[event(f"e{n}", NOON + n * DAY) for n in range(5)],
        decisions=[decision(NOON)],
        profiles={"u1": {}},
    )
    assert trim(tmp_path, 2 * DAY) == ["2026-11-02", "2026-11-03"]
    assert rows(tmp_path, "events", "id") == [("e2",), ("e3",), ("e4",)]
    assert rows(tmp_path, "decisions") == []
    assert rows(tmp_path, "profiles", "user_id") == [("u1",)]
    assert trim(tmp_path, 2 * DAY) == []


def test_without_a_warehouse_none_is_made(tmp_path: Path) -> None:
    for work in (
        lambda: compact(tmp_path / "w"),
        lambda: forget(tmp_path / "w", "u1"),
        lambda: trim(tmp_path / "w", DAY),
    ):
        with pytest.raises(WarehouseError, match="no warehouse"):
            work()
    assert not (tmp_path / "w").exists()


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    fill(tmp_path, events=[event(), event("old", NOON - 9 * DAY)])
    where = ("--warehouse", tmp_path)
    assert run("warehouse", "trim", "--keep", "1d", *where).stderr == "1 day removed, 2026-10-24 to 2026-10-24\n"
    assert run("warehouse", "forget", "u1", *where).stderr == "u1: events 1 erased\n"
    assert run("warehouse", "forget", "u1", *where).stderr == "u1: there is nothing about this user\n"
    assert run("warehouse", "compact", *where).stderr == "0 files put together\n"
    assert run("warehouse", "trim", "--keep", "soon", *where).exit_code == 2
