"""The worked examples of the definitions, and their borders."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest

from kairos.engine.measure.repurchase import kaplan_meier
from kairos.engine.measure.spec import (
    Activation,
    Attribution,
    Churn,
    Happening,
    Lifecycle,
    Repurchase,
    Retention,
    Start,
    Visits,
)
from tests.measure_world import Happened, World

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def at(text: str) -> int:
    """Epoch ms of a UTC time."""
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def first(type_: str) -> Start:
    return Start("first", Happening((type_,)))


RETURNING = [
    Happened("u1", "signup", at("2026-11-01T15:30")), Happened("u1", "open", at("2026-11-01T16:30")),
    Happened("u1", "open", at("2026-11-09T02:00")), Happened("u2", "signup", at("2026-11-02T02:00")),
    Happened("u2", "open", at("2026-11-03T01:00")), Happened("u2", "open", at("2026-11-04T03:00")),
    Happened("u3", "signup", at("2026-11-02T03:00")), Happened("u3", "open", at("2026-11-02T04:00")),
    Happened("u3", "open", at("2026-11-12T04:00")), Happened("u4", "signup", at("2026-11-02T10:00")),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "returned"), [("calendar", [1, 2, 0, 3, 2, 2]), ("rolling", [3, 0, 1, 3, 2, 1])])
def test_retention_by_the_example(mode: Any, returned: list[int]) -> None:
    world = World("Asia/Shanghai").events(RETURNING)
    spec = Retention(first("signup"), Happening(("open",)), (0, 1, 7), (1, 7), ((1, 3),), mode)
    rows = world.ask(spec, at("2026-11-13T00:00"))
    assert [row["day"] for row in rows] == [0, 1, 7, ">=1", ">=7", "1-3"]
    assert [row["returned"] for row in rows] == returned
    assert {row["starters"] for row in rows} == {4}


def test_a_day_counts_once_it_has_fully_passed() -> None:
    """Day 1 of u1 (Shanghai, November 2nd) ends on the 2nd at 16:00 UTC, and is settled two seconds later."""
    world = World("Asia/Shanghai").events(RETURNING[:2])
    spec = Retention(first("signup"), Happening(("open",)), (1,))
    end = at("2026-11-02T16:00")
    assert [world.ask(spec, end + late)[0]["starters"] for late in (1_999, 2_000)] == [0, 1]


def test_weeks_are_cohorts_of_their_monday() -> None:
    world = World().events([*RETURNING, Happened("u5", "signup", at("2026-11-09T00:00"))])
    rows = world.ask(Retention(first("signup"), Happening(("open",)), (0,)), at("2026-12-01T00:00"), by="week")
    assert [(row["week"], row["starters"]) for row in rows] == [("2026-10-26", 1), ("2026-11-02", 3), ("2026-11-09", 1)]


def test_activation_is_strictly_after_the_start_and_before_the_end() -> None:
    events = [Happened(user, "signup", 0) for user in "abcd"]
    events += [
        Happened("a", "buy", 0),
        Happened("b", "buy", 1),
        Happened("c", "buy", DAY - 1),
        Happened("d", "buy", DAY),
    ]
    spec = Activation(first("signup"), Happening(("buy",)), DAY)
    assert World().events(events).ask(spec, 2 * DAY) == [{"starters": 4, "activated": 2, "rate": 0.5}]
    assert World().events(events).ask(spec, DAY + 1_999)[0]["starters"] == 0


def test_lifecycle_shows_complete_periods_only() -> None:
    monday = at("2026-03-09T00:00")
    weeks = {"a": (0, 1, 3), "b": (1,), "c": (0, 3)}
    events = [Happened(user, "open", monday + week * 7 * DAY) for user, active in weeks.items() for week in active]
    rows = World().events(events).ask(Lifecycle(Happening(("open",))), monday + 4 * 7 * DAY + 2_000)
    assert [tuple(row.values()) for row in rows] == [
        ("2026-03-09", 2, 0, 0, 0), ("2026-03-16", 1, 1, 0, 1), ("2026-03-23", 0, 0, 0, 2), ("2026-03-30", 0, 0, 2, 0),
    ]  # fmt: skip
    before = World().events(events).ask(Lifecycle(Happening(("open",))), monday + 4 * 7 * DAY)
    assert before == rows[:-1]


def test_churn_by_its_borders() -> None:
    t, after = 100 * DAY, 30 * DAY
    times = {"a": t - 60 * DAY, "b": t - 60 * DAY - 1, "c": t - 30 * DAY - 1, "d": t - 30 * DAY, "e": t}
    events = [Happened(user, "open", time) for user, time in times.items()] + [Happened("c", "open", t)]
    row = World().events(events).ask(Churn(Happening(("open",)), after), t)[0]
    assert row == {"at_ms": t, "active_before": 2, "churned": 2, "rate": 1.0, "after": after}


def test_repurchase_waits_with_those_who_wait() -> None:
    """Back after 10 and 69 days, two who have not come back: the median is 69 d, the mean of those seen is 39.5."""
    gaps, waiting = {10: 1, 69: 1}, {20: 1, 80: 1}
    quantiles = [kaplan_meier(gaps, waiting, share) for share in (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))]
    assert quantiles == [10, 69, None]


def test_repurchase_needs_a_second_day() -> None:
    events = [
        Happened("a", "buy", 0),
        Happened("a", "buy", HOUR),
        Happened("b", "buy", 0),
        Happened("b", "buy", 3 * DAY),
    ]
    row = World().events(events).ask(Repurchase(Happening(("buy",)), 3), 4 * DAY + 2_000)[0]
    assert (row["buyers"], row["matured"], row["repurchased"], row["p25_days"]) == (2, 2, 1, 3)


def test_visits_by_pings_and_purchases() -> None:
    spec = Visits(
        Happening(("ping",), place="shop"), 10 * MINUTE, 3 * MINUTE, 30 * MINUTE, Happening(("buy",), place="shop")
    )
    pings = {"long": (0, 3), "short": (0, 2), "apart": (0, 11), "again": (0, 3, 33, 36), "same": (0, 3, 32, 36)}
    events = [Happened(u, "ping", m * MINUTE, {"shop": "s"}) for u, minutes in pings.items() for m in minutes]
    events += [Happened("buys", "buy", 0, {"shop": "s"}), Happened("nowhere", "ping", 0, {})]
    row = World().events(events).ask(spec, DAY)[0]
    assert row == {"place": "s", "visits": 5, "visitors": 4, "per_visitor": 1.25}


def test_visits_by_the_local_hour() -> None:
    spec = Visits(Happening(("ping",), place="shop"), 10 * MINUTE, 3 * MINUTE, 30 * MINUTE)
    starts = {"a": (9, 13), "b": (9,)}
    events = [
        Happened(user, "ping", hour * HOUR + minute * MINUTE, {"shop": "s"})
        for user, hours in starts.items()
        for hour in hours
        for minute in (58, 62)
    ]
    rows = World().events(events).ask(spec, DAY, by="hour")
    assert [(row["hour"], row["visits"], row["visitors"]) for row in rows] == [(9, 2, 2), (13, 1, 1)]


TOUCHES = [("mail", "email", 3), ("text", "sms", 2), ("news", "email", 1)]


@pytest.mark.parametrize(
    ("model", "credits"),
    [
        ("last", {"news": 1}), ("first", {"mail": 1}), ("linear", {"mail": 1 / 3, "text": 1 / 3, "news": 1 / 3}),
        ("position", {"mail": 0.4, "text": 0.2, "news": 0.4}),
        ("time_decay", {"mail": 1 / 7, "text": 2 / 7, "news": 4 / 7}),
        ("shapley", {"mail": 0.25, "text": 0.5, "news": 0.25}),
    ],
)  # fmt: skip
def test_attribution_models(model: str, credits: dict[str, float]) -> None:
    world = World().events([Happened("u", "buy", 10 * DAY, {"amount": 10}), Happened("v", "buy", 0, {"amount": 5})])
    world.receipts(
        {"activity": activity, "channel": channel, "user_id": "u", "occurrence": activity, "status": "clicked",
         "time_ms": (10 - days) * DAY}
        for activity, channel, days in TOUCHES
    )  # fmt: skip
    spec = Attribution(Happening(("buy",), value="amount"), {"clicked": 7 * DAY}, (model,), DAY)
    rows = world.ask(spec, 20 * DAY)
    assert {row["activity"]: row["conversions"] for row in rows} == pytest.approx({**credits, None: 1.0})
    assert sum(row["value"] for row in rows) == pytest.approx(15)
