"""`kairos sql`: what may be asked, what is refused, how it is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kairos.adapters.warehouse.port import QueryError
from kairos.adapters.warehouse.read_only import check
from tests.unit.cli.cli_kit import run
from tests.unit.warehouse.warehouse_kit import event, fill

POSSIBLE = [
    "SELECT count(*) FROM events",
    "select * from Events e join decisions d using (user_id)",
    "WITH t AS (SELECT user_id FROM events) SELECT * FROM t UNION ALL SELECT user_id FROM profiles",
    "FROM events SELECT id",
    "SELECT unnest([1, 2]), x FROM generate_series(1, 3) AS s(x)",
    "SELECT * FROM (VALUES (1)) AS v(n)",
    "SELECT props->>'$.amount' FROM events WHERE time_ms > $since",
]
REFUSED = {
    "DELETE FROM events": "only SELECT",
    "INSERT INTO events SELECT * FROM events": "only SELECT",
    "CREATE TABLE x AS SELECT 1": "only SELECT",
    "COPY events TO 'x.csv'": "only SELECT",
    "ATTACH 'x.db'": "only SELECT",
    "PRAGMA database_list": "only SELECT",
    "SET memory_limit = '1GB'": "only SELECT",
    "SELECT 1; SELECT 2": "one statement",
    "SELECT 1 INTO x": "only SELECT",
    "SELECT * FROM read_csv('/etc/passwd')": "'read_csv'",
    "SELECT * FROM read_parquet('x')": "'read_parquet'",
    "SELECT * FROM glob('/*')": "'glob'",
    "SELECT * FROM '/etc/passwd'": "no table",
    "SELECT * FROM information_schema.tables": "no table",
    "SELECT * FROM duckdb_settings()": "'duckdb_settings'",
    "SELECT * FROM query('SELECT 1')": "'query'",
    "SELECT getenv('HOME')": "'getenv'",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))": "'read_text'",
    "SELECT * FROM event": "did you mean 'events'",
    "SELEC 1": "not SQL|one statement|only SELECT",
}


@pytest.mark.parametrize("sql", POSSIBLE)
def test_possible(sql: str) -> None:
    check(sql)


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(sql: str) -> None:
    with pytest.raises(QueryError, match=REFUSED[sql]):
        check(sql)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    fill(tmp_path / "w", events=[event("a", props={"n": 1}), event("b", props={"text": "\x1b[2J"})])
    return tmp_path / "w"


def test_the_answer_in_each_format(warehouse: Path) -> None:
    sql = "SELECT id, props, 1234567 AS n, NULL AS nothing, dt FROM events ORDER BY id"
    table = run("sql", sql, "--warehouse", warehouse).stdout
    assert [line.split() for line in table.splitlines()][:2] == [
        ["id", "props", "n", "nothing", "dt"],
        ["a", '{"n":1}', "1,234,567", "-", "2026-11-02"],
    ]
    assert "\x1b" not in table
    assert json.loads(run("sql", sql, "--warehouse", warehouse, "--format", "json").stdout)[0] == {
        "id": "a",
        "props": '{"n":1}',
        "n": 1234567,
        "nothing": None,
        "dt": "2026-11-02",
    }
    assert run(
        "sql", "SELECT id, 1 AS n FROM events ORDER BY 1", "--warehouse", warehouse, "--format", "csv"
    ).stdout == ("id,n\na,1\nb,1\n")


@pytest.mark.parametrize(
    "sql", ["DROP TABLE events", "SELECT nothing FROM events", "SELECT * FROM events WHERE id = $id"]
)
def test_what_is_wrong_is_said_and_exits_with_2(warehouse: Path, sql: str) -> None:
    done = run("sql", sql, "--warehouse", warehouse)
    assert done.exit_code == 2
    assert done.stderr.startswith("kairos: ")
    assert len(done.stderr.splitlines()) == 1
