"""A real Trino over the files of a warehouse: the same answers as DuckDB's."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.warehouse.opening import open_engine
from kairos.adapters.warehouse.port import QueryError, WarehouseError
from kairos.engine.warehouse.tables import TABLES
from tests.unit.warehouse.warehouse_kit import DAY, NOON, decision, event, fill, receipt

PROFILES = {
    "u1": {"timezone": "Asia/Shanghai", "level": 3, "score": 1.5, "on": True, "select": "x"},
    "u2": {"level": None},
}


def load(folder: Path) -> None:
    chars = ["'", "\0", "日本語", "\\", "\n"]
    events = [event(f"e{n}", NOON + n * DAY // 3, props={"amount": n / 3, "text": chars[n % 5]}) for n in range(20)]
    decisions = [decision(NOON + n, occurrence=f"o{n}", value=n) for n in range(5)]
    fill(folder, events=events, decisions=decisions, receipts=[receipt()], profiles=PROFILES)


def test_both_engines_see_the_same_rows_and_columns(tmp_path: Path, engine_address: str) -> None:
    load(tmp_path)
    duckdb, engine = open_engine(tmp_path), open_engine(tmp_path, engine_address)
    for name in TABLES:
        assert engine.columns(name) == duckdb.columns(name)
        sql = f"SELECT * FROM {name} ORDER BY {', '.join(TABLES[name].key)}"
        assert engine.query(sql) == duckdb.query(sql)


SAME = [
    # A sum of DOUBLEs depends on the order of its rows, even on one engine; a sum of DECIMALs does not.
    "SELECT type, sum(CAST(props->>'$.amount' AS DECIMAL(18, 6))) AS n FROM events GROUP BY 1 ORDER BY n",
    "SELECT props->>'$.text' AS text, count(*) AS n FROM events GROUP BY 1 ORDER BY 1",
    "SELECT count(*) / 3 AS ratio, count(*) // 3 AS whole, time_ms % 7 AS rest FROM events GROUP BY 3 ORDER BY 3",
    "SELECT dt, count(*) AS n FROM events WHERE dt >= DATE '2026-11-03' GROUP BY dt ORDER BY dt",
    "SELECT id FROM events WHERE type IN $types AND time_ms < $until ORDER BY id",
    "SELECT list(id ORDER BY id) AS ids, max(outcome) AS o FROM events JOIN decisions USING (user_id)",
    "SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY time_ms) AS n FROM events QUALIFY n < 3 ORDER BY id",
]


@pytest.mark.parametrize("sql", SAME)
def test_one_sql_gives_the_same_answer_on_both(tmp_path: Path, engine_address: str, sql: str) -> None:
    load(tmp_path)
    values = {"types": ["open", "close"], "until": NOON + DAY}
    answer = open_engine(tmp_path, engine_address).query(sql, {k: v for k, v in values.items() if f"${k}" in sql})
    assert answer.rows
    assert answer == open_engine(tmp_path).query(sql, {k: v for k, v in values.items() if f"${k}" in sql})


def test_what_is_loaded_later_is_seen_and_so_are_new_columns(tmp_path: Path, engine_address: str) -> None:
    load(tmp_path)
    open_engine(tmp_path, engine_address).close()
    fill(tmp_path, events=[event("later", NOON + 90 * DAY)], profiles={"u3": {"city": "Bonn"}})
    engine = open_engine(tmp_path, engine_address)
    assert engine.query("SELECT count(*) AS n FROM events").rows == [(21,)]
    assert engine.query("SELECT city FROM profiles ORDER BY user_id").rows == [(None,), (None,), ("Bonn",)]


def test_a_query_that_is_wrong_is_refused(tmp_path: Path, engine_address: str) -> None:
    load(tmp_path)
    with pytest.raises(QueryError, match="nothing"):
        open_engine(tmp_path, engine_address).query("SELECT nothing FROM events")


def test_without_trino(tmp_path: Path) -> None:
    load(tmp_path)
    with pytest.raises(WarehouseError, match=r"Trino at http://127\.0\.0\.1:1 does not answer"):
        open_engine(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(WarehouseError, match="expected duckdb"):
        open_engine(tmp_path, "presto")
