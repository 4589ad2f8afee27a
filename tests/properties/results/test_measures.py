"""Measures in SQL against their definitions in plain Python, over random small worlds at the borders of what counts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.measure.entries import Goal, Subject
from kairos.engine.measure.epochs import Arms, Island, epochs
from kairos.engine.measure.spec import Attribution, Happening, Lifecycle, Lift, Retention, Start, Visits
from tests.measure_world import Happened, World
from tests.properties.twins import measures_by_definition as by_definition

HOUR, DAY = 3_600_000, 86_400_000
BASE = 1_793_490_000_000  # 2026-10-31T23:40Z: summer time ends in New York on the next day
ZONES = {"a": "America/New_York", "b": "Asia/Shanghai"}
users = st.sampled_from("abc")
borders = [days * DAY + offset for days in (0, 1, 2, 7, 8, 14) for offset in (-1, 0, 1, 4 * HOUR, 16 * HOUR)]
times = st.sampled_from([BASE + border for border in borders])
happened = st.lists(st.tuples(users, st.sampled_from(["signup", "open"]), times), min_size=1, max_size=10)
as_ofs = st.sampled_from([BASE + days * DAY + offset for days in (3, 9, 30) for offset in (0, 1_999, 2_000, 5 * HOUR)])


def zone_of(user: str) -> str:
    return ZONES.get(user, "UTC")


@settings(max_examples=80)
@given(events=happened, as_of=as_ofs, mode=st.sampled_from(["calendar", "rolling"]))
def test_retention(events: list[tuple[str, str, int]], as_of: int, mode: Any) -> None:
    known = [(user, type_, time) for user, type_, time in events if time <= as_of]
    starts: dict[str, int] = {}
    for user, type_, time in known:
        if type_ == "signup":
            starts[user] = min(time, starts.get(user, time))
    returns = [(user, time) for user, type_, time in known if type_ == "open"]
    days = (0, 1, 2, 7)
    expected = by_definition.retention(starts, returns, zone_of, as_of, days, mode)
    spec = Retention(Start("first", Happening(("signup",))), Happening(("open",)), days, days, (), mode)
    rows = World("UTC", ZONES).events(Happened(*event) for event in events).ask(spec, as_of)
    assert {row["day"]: (row["starters"], row["returned"]) for row in rows} == expected


@settings(max_examples=60)
@given(events=happened, as_of=as_ofs)
def test_lifecycle(events: list[tuple[str, str, int]], as_of: int) -> None:
    known = [(user, time) for user, _, time in events if time <= as_of]
    expected = by_definition.lifecycle(known, zone_of, as_of, ["UTC", *ZONES.values()]) if known else {}
    world = World("UTC", ZONES).events(Happened(*event) for event in events)
    rows = world.ask(Lifecycle(Happening(("signup", "open"))), as_of)
    assert {row["period"]: list(row.values())[1:] for row in rows} == expected


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["ping", "ping", "buy"]), st.integers(0, 24).map(lambda n: n * 150_000)), max_size=9
    )
)
def test_visits(signs: list[tuple[str, int]]) -> None:
    gap, dwell, again = 300_000, 450_000, 900_000
    world = World().events(Happened("u", kind, time, {"shop": "s"}) for kind, time in signs)
    spec = Visits(Happening(("ping",), place="shop"), gap, dwell, again, Happening(("buy",), place="shop"))
    found = sum(row["visits"] for row in world.ask(spec, DAY))
    assert found == by_definition.visits(signs, gap, dwell, again)


channels = st.sampled_from(["sms", "push", "email"])


@settings(max_examples=60)
@given(st.lists(st.lists(channels, max_size=4), min_size=1, max_size=5))
def test_attribution_sums_to_the_total_and_shapley_is_shapley(journeys: list[list[str]]) -> None:
    world = World().events(Happened(f"u{i}", "buy", 10 * DAY, {"amount": 0.1 * (i + 1)}) for i in range(len(journeys)))
    world.receipts(
        {"user_id": f"u{i}", "occurrence": f"o{n}", "channel": channel, "status": "delivered", "time_ms": 9 * DAY + n}
        for i, journey in enumerate(journeys)
        for n, channel in enumerate(journey)
    )
    models = ("last", "first", "linear", "position", "time_decay", "shapley")
    spec = Attribution(Happening(("buy",), value="amount"), {"delivered": 2 * DAY}, models, DAY)
    rows = world.ask(spec, 20 * DAY)
    for model in models:
        own = [row for row in rows if row["model"] == model]
        assert sum(row["conversions"] for row in own) == pytest.approx(len(journeys), abs=1e-12)
        total = sum(0.1 * (i + 1) for i in range(len(journeys)))
        assert sum(row["value"] for row in own) == pytest.approx(total)
    expected = by_definition.shapley([frozenset(journey) for journey in journeys if journey])
    found = {row["channel"]: row["conversions"] for row in rows if row["model"] == "shapley" and row["activity"]}
    assert found == pytest.approx({channel: float(value) for channel, value in expected.items()})


records = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": users, "occurrence": st.sampled_from(["o1", "o2"]),
            "at_ms": st.integers(0, 6).map(lambda n: n * HOUR),
            "outcome": st.sampled_from(["send", "hold", "control", "suppress", "match"]), "attempt": st.just(1),
            "shadow": st.sampled_from([False, False, False, True]),
        }
    ).flatmap(
        lambda row: st.sampled_from(["budget", "cap:x", "once", "audience", "unreachable", "outranked:b"]).map(
            lambda reason: {**row, "reason": reason if row["outcome"] == "suppress" else None}
        )
    ),
    max_size=8,
    unique_by=lambda row: (row["user_id"], row["occurrence"], row["outcome"]),
)  # fmt: skip


@settings(max_examples=120)
@given(records, st.lists(st.tuples(users, st.integers(0, 12).map(lambda n: n * HOUR)), max_size=5), st.integers(6, 14))
def test_outcomes(rows: list[dict[str, Any]], goals: list[tuple[str, int]], hours: int) -> None:
    within, as_of = 4 * HOUR, hours * HOUR + 2_000
    known = [(user, time) for user, time in goals if time <= as_of]
    told = [row for row in rows if row["at_ms"] <= as_of]
    expected, immature, matures = by_definition.outcomes(told, known, within, as_of)
    subject = Subject("a", Arms(0.5, (), "a"), goal=Goal(Happening(("paid",)), within))
    world = World().events(Happened(user, "paid", time) for user, time in goals).decisions(rows)
    found = world.ask(Lift("a"), as_of, subject)
    if not found:
        assert not expected
        assert not immature
        return
    counts = Counter[str]()
    for (arm, _), number in expected.items():
        counts[arm] += number
    row = found[0]
    assert (row["n_control"], row["n_treated"], row["immature"]) == (counts["control"], counts["treated"], immature)
    assert row["matures_ms"] == matures
    for arm in ("control", "treated"):
        mean = row[f"mean_{arm}"]
        assert mean == (expected.get((arm, 1), 0) / counts[arm] if counts[arm] else None)


OLD, NEW = Arms(0.1, (), "a"), Arms(0.3, (), "a")


def test_an_epoch_ends_where_the_arms_change() -> None:
    first, second = epochs([Island(OLD, 0, 5), Island(NEW, 6, 9)])
    assert (first.leaving, second.leaving) == (None, (0.1, 0.3))
    assert second.shares == pytest.approx({"control": 0.1 / 0.8, "treated": 0.7 / 0.8})


def test_what_was_finished_under_old_rules_belongs_to_their_epoch() -> None:
    found = epochs([Island(OLD, 0, 5), Island(NEW, 6, 7), Island(OLD, 8, 8), Island(NEW, 9, 9)])
    assert [[island.first for island in epoch.islands] for epoch in found] == [[0, 8], [6, 9]]


def test_arms_that_come_back_begin_an_epoch() -> None:
    assert [epoch.arms for epoch in epochs([Island(OLD, 0, 5), Island(NEW, 6, 7), Island(OLD, 8, 9)])] == [
        OLD,
        NEW,
        OLD,
    ]
