"""Kept crowds have the same members on DuckDB and on a real Trino: the same text, transpiled."""

from __future__ import annotations

import random

import pytest

from kairos.adapters.warehouse.opening import DUCKDB
from kairos.adapters.warehouse.port import QueryError
from kairos.engine.measure.spec import Happening, Measures
from kairos.engine.rule.load import load
from kairos.usecases.crowds.members import Members
from kairos.usecases.crowds.past import past_of
from kairos.usecases.crowds.places import Places
from tests.unit.warehouse.warehouse_kit import DAY, NOON, event, fill

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

CROWDS = """
often: {where: "count(buy, 30d) >= 2", refresh: 30d}
rich: {where: "total(buy.amount, 60d, amount > 3 and kind != 'x') >= 40 or avg(buy.amount, 20d) > 15", refresh: 30d}
span: {where: "max(buy.amount) - min(buy.amount) > 20 and not (last(buy) < 5d) and first(buy) >= 20d", refresh: 30d}
kinds: {where: "distinct(buy.kind, 60d) == 2 and last(buy.kind) == 'a' or first(buy.kind) in ['b']", refresh: 30d}
people: {where: "profile.level >= 3 and not starts_with(profile.city, 'B')", refresh: 30d}
local: {where: "days_since(profile.since) > 30 and count(buy, 90d, hour(event.time) >= 12) > 0", refresh: 30d}
segments: {where: "rfm.segment in ['champions', 'loyal'] or rfm.m == 5", refresh: 30d}
nested: {where: "in_crowd('often') and count(look) == 0", refresh: 30d}
queried: {sql: queried.sql, refresh: 30d}
tables: {sql: tables.sql, refresh: 30d}
listed: {members: [u001, u002, "it's"]}
sets: {difference: [{union: [often, rich, listed]}, {intersect: [kinds, {union: [people, queried]}]}], refresh: 30d}
best: {limit: 20, of: {union: [often, rich]}, by: "total(buy.amount, 60d)", refresh: 30d}
half: {sample: 50%, of: {union: [often, rich]}, refresh: 30d}
"""
SQL = {
    "queried": """WITH bought AS (
  SELECT user_id, TRY_CAST(json_extract_string(props, '$.amount') AS DOUBLE) AS amount
  FROM events WHERE type = 'buy' AND time_ms > $as_of_ms - 86400000 * 20
)
SELECT user_id FROM bought GROUP BY user_id HAVING count(*) >= 2 AND sum(amount) > 25 -- the big ones
""",
    "tables": "SELECT e.user_id FROM events e JOIN profiles p ON p.user_id = e.user_id "
    "LEFT JOIN rfm r ON r.user_id = e.user_id WHERE e.type = 'look' AND p.level > 1 AND coalesce(r.f, 0) < 4;",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder, r = tmp_path_factory.mktemp("shop"), random.Random(15)
    users = [f"u{n:03d}" for n in range(300)] + ["it's", "Ünï"]
    events = []
    for user in users:
        for n in range(r.randrange(6)):
            props = {
                "amount": r.choice([1, 2.5, 10, 20, 30.25, "many"]),
                "kind": r.choice(["a", "b", "x", "it's", None]),
            }
            time = NOON - r.randrange(90 * DAY)
            events.append(event(f"{user}-{n}", time, user_id=user, type=r.choice(["buy", "buy", "look"]), props=props))
    profiles = {
        user: {"level": r.randrange(6), "city": r.choice(["Bonn", "Köln"]), "since": NOON - r.randrange(60) * DAY,
               "timezone": r.choice(["Asia/Shanghai", "Europe/Berlin"])}
        for user in users[::2]
    }  # fmt: skip
    files = {"crowds.yaml": CROWDS.encode(), "policy.yaml": b"timezone: UTC\n"}
    files["profile.yaml"] = b"level: integer\ncity: string\nsince: time\n"
    loaded = load({**files, **{f"crowds/{name}.sql": text.encode() for name, text in SQL.items()}})
    assert loaded.rules is not None, loaded.findings
    fill(folder, events=events, profiles=profiles, rules=loaded.rules)
    return Places(folder, loaded.rules, Measures(purchase=Happening(("buy",), value="amount")))


def found(places: Places, engine: str, name: str) -> list[str]:
    with places.asking(engine) as opened:
        past = past_of(opened, places, NOON, lambda _: False)
        members = Members(opened, past, places.rules.crowds, lambda _: False, opened.scratch, 60.0)
        return sorted(members.users(members.of(name)))


def test_the_same_members(places: Places, trino: str) -> None:
    for name in places.rules.kept:
        members = found(places, DUCKDB, name)
        assert found(places, trino, name) == members, name
        assert 0 < len(members) < 302, name


@pytest.mark.parametrize("engine", [DUCKDB, "trino"])
def test_what_takes_too_long_is_stopped(places: Places, engine: str, request: pytest.FixtureRequest) -> None:
    where = engine if engine == DUCKDB else str(request.getfixturevalue("trino"))
    endless = (
        "SELECT CAST(count(*) AS VARCHAR) AS user_id FROM events a, events b, events c, events d "
        "WHERE a.time_ms + b.time_ms > c.time_ms + d.time_ms"
    )
    with places.asking(where) as opened, pytest.raises(QueryError, match=r"longer|exceeded"):
        opened.into(endless, opened.scratch / "endless.parquet", 1.0)
