"""Lifecycle and churn: who is active, is so again, is not any more."""

from __future__ import annotations

from collections import defaultdict

from kairos.engine.measure.ask import Ask, Row, date_of, rate, sorted_groups
from kairos.engine.measure.spec import Churn, Lifecycle

_DAYS = {"1d": 1, "1w": 7}


def lifecycle(ask: Ask, spec: Lifecycle) -> list[Row]:
    """A row a period that is over everywhere, from the first with anybody in it, the empty ones between included."""
    days = _DAYS[spec.period]
    join, group = ask.of_user("a.user_id")
    day = ask.clock.day("e.time_ms")
    period = f"CAST(floor(({day} + 3) / 7e0) AS BIGINT)" if days == 7 else day
    sql = f"""
WITH a AS (SELECT DISTINCT e.user_id, {period} AS period FROM ({ask.events(spec.active)}) e
           {ask.clock.join("e.user_id")}),
w AS (SELECT user_id, period, lag(period) OVER (PARTITION BY user_id ORDER BY period) AS before,
      lead(period) OVER (PARTITION BY user_id ORDER BY period) AS after FROM a)
SELECT {group}, a.period, sum(CASE WHEN before IS NULL THEN 1 ELSE 0 END),
       sum(CASE WHEN before = a.period - 1 THEN 1 ELSE 0 END), sum(CASE WHEN before < a.period - 1 THEN 1 ELSE 0 END),
       sum(CASE WHEN after IS NULL OR after > a.period + 1 THEN 1 ELSE 0 END)
FROM w a {join} GROUP BY 1, 2"""
    found: dict[object, dict[int, tuple[int, ...]]] = defaultdict(dict)
    for g, number, *counts in ask.query(sql):
        found[g][number] = tuple(counts)
    over = _first_day(ask.clock.latest_common_day(ask.limit), days)
    return [row for g in sorted_groups(found) for row in _periods(ask, g, found[g], days, over)]


def _first_day(day: int, days: int) -> int:
    """The first day of the period that a day lies in."""
    return (day + 3) // 7 * 7 - 3 if days == 7 else day


def _periods(ask: Ask, group: object, found: dict[int, tuple[int, ...]], days: int, over: int) -> list[Row]:
    rows = []
    for number in range(min(found), max(found) + 2):
        first = number * 7 - 3 if days == 7 else number
        start = first * 86_400_000
        if first >= over or (ask.start is not None and start < ask.start) or (ask.end is not None and start >= ask.end):
            continue
        new, returning, resurrecting, _ = found.get(number, (0, 0, 0, 0))
        row = {
            "period": date_of(first),
            "new": new,
            "returning": returning,
            "resurrecting": resurrecting,
            "dormant": found.get(number - 1, (0, 0, 0, 0))[3],
        }
        rows.append(ask.labelled(group, row))
    return rows


def churn(ask: Ask, spec: Churn) -> list[Row]:
    """At t = `as_of`: active in [t - 2N, t - N), and not in [t - N, t)."""
    middle, first = ask.as_of - spec.after, ask.as_of - 2 * spec.after
    join, group = ask.of_user("u.user_id")
    sql = f"""
WITH u AS (SELECT user_id, min(time_ms) AS first_ms, max(time_ms) AS last_ms FROM ({ask.events(spec.active)}) e
           WHERE time_ms >= {first} AND time_ms < {ask.as_of} GROUP BY user_id)
SELECT {group}, count(*), sum(CASE WHEN u.last_ms < {middle} THEN 1 ELSE 0 END)
FROM u {join} WHERE u.first_ms < {middle} GROUP BY 1"""
    found = {g: (before, gone) for g, before, gone in ask.query(sql)}
    if ask.by is None:
        found.setdefault(0, (0, 0))
    rows = []
    for g in sorted_groups(found):
        before, gone = found[g]
        counted = {"active_before": before, "churned": gone, "rate": rate(gone, before), "after": spec.after}
        rows.append(ask.labelled(g, {"at_ms": ask.as_of, **counted}))
    return rows
