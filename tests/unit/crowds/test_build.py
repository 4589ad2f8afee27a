"""Kept crowds in a warehouse: who is in them, what is refused, and what is shown of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from kairos.apps.view.crowds import WHY, as_metrics, standings_table
from kairos.engine.crowd.guard import Counts, Waivers, is_stale, refusal
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.usecases.control.rights import Actor
from kairos.usecases.crowds import look
from kairos.usecases.crowds.build import build_crowds
from kairos.usecases.crowds.by_hand import import_crowd, users_in
from kairos.usecases.crowds.places import Places
from kairos.usecases.errors import AskError, InputError, NotThereError
from tests.unit.warehouse.warehouse_kit import DAY, HOUR, NOON, event, fill, rows

NOW = NOON + 5


def rules(crowds: str, profile: str = "level: integer\ncity: string\n", **sql: str) -> RuleSet:
    files = {"crowds.yaml": crowds.encode(), "profile.yaml": profile.encode(), "policy.yaml": b"timezone: UTC\n"}
    files |= {f"crowds/{name}.sql": text.encode() for name, text in sql.items()}
    loaded = load(files)
    assert loaded.rules is not None, loaded.findings
    return loaded.rules


def bought(user: str, days: float, n: int = 0, type: str = "purchase", **props: Any) -> dict[str, Any]:
    time = int(NOON - days * DAY)
    return event(f"{user}{time}{n}", time, user_id=user, type=type, props=props)


class Shop:
    def __init__(self, folder: Path, crowds: str, events: Iterable[dict[str, Any]], **more: Any) -> None:
        profiles = more.pop("profiles", None)
        self.folder = folder
        self.places = Places(folder, rules(crowds, **more))
        fill(folder, events=events, profiles=profiles, rules=self.places.rules)

    def build(self, *names: str, as_of: int = NOON, waivers: Waivers | None = None) -> list[tuple[Any, ...]]:
        found = build_crowds(self.places, names, as_of, lambda: NOW, waivers or Waivers())
        return [(b.crowd, b.n, b.size, b.added, b.removed, b.status) for b in found]

    def members(self, *names: str) -> str:
        return "".join(look.members(self.places, names))


def test_windows_are_exact_and_nothing_is_null_of_nobody(tmp_path: Path) -> None:
    crowds = """
recent: {where: "count(purchase, 30d) >= 1", refresh: 30d}
rich: {where: "total(purchase.amount, 30d, amount > 1) >= 10 and max(purchase.amount) < 9", refresh: 30d}
never:
  where: not (last(purchase) < 365d) and count(purchase) == 0 and not exists(avg(purchase.amount))
  refresh: 30d
several:
  where: distinct(purchase.kind, 90d) == 2 and last(purchase.kind) == 'b' and first(purchase.kind) == 'a'
  refresh: 30d
"""
    events = [
        bought("a", 30 - 1 / DAY, amount=3),  # a ms inside
        bought("b", 30, amount=30),  # just outside
        bought("c", 0, amount=4), bought("c", 1, 1, amount=8), bought("c", 2, 2, amount=1),
        bought("d", 0, type="open"),
        bought("e", 1, kind="b"), bought("e", 2, kind="a"), bought("e", 3, 3, amount=2),
        bought("f", -1, amount=9),  # after as_of
    ]  # fmt: skip
    shop = Shop(tmp_path, crowds, events, profiles={"g": {"level": 1}})
    assert {row[-1] for row in shop.build()} == {"live"}
    assert shop.members("recent") == "ace"
    assert shop.members("rich") == "c"
    assert shop.members("never") == "dg"
    assert shop.members("several") == "e"
    assert shop.members("several", "recent") == "e"
    assert shop.members("recent", "rich", "recent") == "c"
    assert shop.members("recent", "never") == ""


def test_sql_sees_nothing_later_than_as_of(tmp_path: Path) -> None:
    sql = "WITH events AS (SELECT * FROM events WHERE type = 'purchase')\nSELECT user_id FROM events; -- the end"
    late = "SELECT user_id FROM events WHERE time_ms > $as_of_ms - 86400000 AND props NOT LIKE '%$as_of_ms%'"
    crowds = "buyers: {sql: buyers.sql, refresh: 30d}\nlate: {sql: late.sql, refresh: 30d}\n"
    events = [bought("a", 2), bought("b", 0.5), bought("c", -1), bought("d", 0.1, type="open")]
    shop = Shop(tmp_path, crowds, events, buyers=sql, late=late)
    shop.build()
    assert (shop.members("buyers"), shop.members("late")) == ("ab", "bd")


def test_sets_samples_and_limits_of_each_other(tmp_path: Path) -> None:
    crowds = """
buyers: {where: "count(purchase) >= 1", refresh: 30d}
staff: {members: [a, z]}
others: {difference: [buyers, staff, {where: "profile.level == 9"}], refresh: 30d}
best: {limit: 2, of: others, by: "total(purchase.amount)", refresh: 30d}
half: {sample: 50%, of: buyers, refresh: 30d}
half_of_others: {intersect: [others, {sample: 50%, of: {union: [buyers, staff]}}], refresh: 30d}
three: {limit: 3, of: buyers, refresh: 30d}
best_of_half: {limit: 2, of: half, by: "total(purchase.amount)", refresh: 30d}
live_half: {sample: 50%, of: buyers}
"""
    events = [bought(user, n + 1, amount=n % 4) for n, user in enumerate("abcdefgh")]
    shop = Shop(tmp_path, crowds, events, profiles={"c": {"level": 9}})
    shop.build()
    assert shop.members("others") == "bdefgh"
    assert shop.members("best") == "dh"  # 3 each
    half, three = shop.members("half"), shop.members("three")
    assert set() < set(half) < set("abcdefgh")
    assert set(shop.members("best_of_half")) <= set(half)
    assert len(three) == 3
    assert set(shop.members("half_of_others")) <= set("bdefgh")
    again = Shop(tmp_path / "again", crowds, events)
    again.build("half")
    assert again.members("half") == half
    with pytest.raises(NotThereError, match="asked live"):
        shop.build("live_half")


def test_a_refused_part_is_the_one_before(tmp_path: Path) -> None:
    crowds = """
level: {where: "profile.level >= 1", refresh: 30d}
all: {union: [level, {where: "count(purchase) >= 1"}], refresh: 30d}
"""
    shop = Shop(tmp_path, crowds, [bought("z", 1)], profiles={"a": {"level": 1}})
    assert [row[:3] for row in shop.build()] == [("level", 1, 1), ("all", 1, 2)]
    fill(tmp_path, profiles={"a": {"level": 0}}, events=[bought("y", 0.5)], rules=shop.places.rules)
    assert [(row[0], row[1], row[-1]) for row in shop.build(as_of=NOON + 1)] == [
        ("level", None, "rejected: empty"),
        ("all", 2, "live"),
    ]
    assert shop.members("all") == "ayz"
    kept = rows(tmp_path, "crowd_members")
    assert kept == [("all", "a", 1, None), ("all", "y", 2, None), ("all", "z", 1, None), ("level", "a", 1, None)]


def test_history_has_who_left_and_came_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "team: {members: kept}\n", [])
    for n, users in enumerate(("abc", "bcd", "acd"), start=1):
        (tmp_path / "team.csv").write_text("user_id,name\n" + "".join(f"{user},x\n" for user in users))
        build = import_crowd(shop.places, "team", tmp_path / "team.csv", Actor("ann"), lambda: NOW, Waivers())
        assert (build.n, build.size, build.status) == (n, 3, "live")
    expected = [("a", 1, 2), ("a", 3, None), ("b", 1, 3), ("c", 1, None), ("d", 2, None)]
    assert rows(tmp_path, "crowd_members", "user_id, from_n, to_n") == expected
    assert shop.members("team") == "acd"
    with pytest.raises(AskError, match="by hand"):
        shop.build("team")


def test_many_past_snapshots_are_few_files(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "team: {members: kept}\n", [])
    for n in range(24):
        (tmp_path / "team.csv").write_text("".join(f"u{m}\n" for m in range(n, n + 5)))
        import_crowd(shop.places, "team", tmp_path / "team.csv", Actor("ann"), lambda: NOW, Waivers())
    assert len(rows(tmp_path, "crowd_members")) == 28
    assert len(list((tmp_path / "crowd_members").glob("*.parquet"))) <= 10


def test_what_is_looked_at(tmp_path: Path) -> None:
    crowds = "a: {members: kept}\nb: {members: kept}\nc: {where: 'count(open) > 0', refresh: 1d}\n"
    shop = Shop(tmp_path, crowds, [], profiles={"u1": {"city": "Bonn"}, "u2": {"city": "Bonn"}})
    for name, users in (("a", "u1\nu2\n"), ("b", "u2\nu3\n")):
        (tmp_path / "users.csv").write_text(users)
        import_crowd(shop.places, name, tmp_path / "users.csv", Actor("ann"), lambda: NOW, Waivers())
    assert look.overlap(shop.places, ["a", "b"]) == [[2, 1], [1, 2]]
    portrait = look.portrait(shop.places, "a", NOW + 60_000)
    assert portrait.overlap == {"b": 1}
    assert portrait.fields["city"] == [("Bonn", 2)]
    assert portrait.standing.age == 60_000
    assert look.portrait(shop.places, "c", NOW).fields == {}
    standing = {s.crowd: s for s in look.standings(shop.places, NOW)}
    assert (standing["c"].status, standing["c"].is_due(NOW), standing["a"].next) == ("never built", True, None)
    table = standings_table(look.standings(shop.places, NOW + 3 * HOUR)).splitlines()
    assert [line.split()[-1] for line in table] == ["status", "live", "live", "built"]
    assert [line.split()[5] for line in table[1:3]] == ["3h", "3h"]
    assert max(map(len, table)) <= 80
    assert shop.build("c")[0][-1] == "rejected: stale"
    told = as_metrics(look.standings(shop.places, NOW + 60_000))
    assert 'kairos_crowd_age_seconds{crowd="a"} 60.0' in told
    assert 'kairos_crowd_refused{crowd="c"} 1' in told
    assert 'kairos_crowd_members{crowd="c"}' not in told
    assert not {s.crowd: s for s in look.standings(shop.places, NOW)}["c"].is_due(NOW)


def test_what_fails_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    crowds = "bad: {sql: bad.sql, refresh: 30d}\ngood: {where: 'count(purchase) > 0', refresh: 30d}\n"
    bad = "SELECT user_id FROM events WHERE CAST(props AS INTEGER) > 1"
    found = Shop(tmp_path, crowds, [bought("a", 1)], bad=bad).build()
    assert [row[0] for row in found] == ["bad", "good"]
    assert found[0][-1].startswith("failed: DuckDB: Conversion Error")
    assert found[1][-1] == "live"


@pytest.mark.parametrize(
    ("before", "size", "added", "removed", "status"),
    [
        (0, 5, 5, 0, None),
        (99, 50, 0, 49, None),
        (100, 80, 0, 20, None),
        (100, 79, 0, 21, "rejected: removed"),
        (100, 150, 50, 0, None),
        (100, 151, 51, 0, "rejected: size"),
        (10, 0, 0, 10, "rejected: empty"),
    ],
)
def test_guards(before: int, size: int, added: int, removed: int, status: str | None) -> None:
    counts = Counts(before, size, added, removed)
    assert refusal(counts, Waivers(), stale=False) == status
    assert status is None or status in WHY
    assert refusal(counts, Waivers(empty=True, change=True), stale=False) is None
    assert refusal(counts, Waivers(empty=True, change=True), stale=True) == "rejected: stale"
    assert "rejected: stale" in WHY


def test_a_source_is_stale_after_twice_the_refresh() -> None:
    assert not is_stale(2 * DAY, 0, DAY)
    assert is_stale(2 * DAY + 1, 0, DAY)
    assert is_stale(0, None, DAY)
    assert not is_stale(9 * DAY, None, None)


def test_lists_of_users(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    for text, users in (("\ufeffname,user_id\nx,a\ny,b\n", "ab"), ("a\n\nb\na\n", "ab"), ("user_id\na\n", "a")):
        file.write_text(text)
        assert "".join(users_in(file)) == users
    file.write_text("name,age\nx,1\n")
    with pytest.raises(InputError):
        users_in(file)
