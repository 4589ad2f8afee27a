"""Retention: of those who started, who came back on day N, on day N or later, between two days."""

from __future__ import annotations

from typing import Any

from kairos.engine.measure.ask import Ask, Row, rate, sorted_groups
from kairos.engine.measure.spec import Retention
from kairos.engine.measure.starts import starts_sql


def retention(ask: Ask, spec: Retention) -> list[Row]:
    """A starter counts for day N once that day has fully passed; for a bracket, once its last day has."""
    windows = _windows(spec)
    sql = _sql(ask, spec, [(last, condition) for _, last, condition in windows])
    found = {row[0]: row[1:] for row in ask.query(sql)}
    if ask.by is None:
        found.setdefault(0, (0,) * (2 * len(windows)))
    rows = []
    for group in sorted_groups(found):
        numbers = iter(found[group])
        for (day, _, _), starters, returned in zip(windows, numbers, numbers, strict=True):
            row = {"day": day, "starters": starters, "returned": returned, "rate": rate(returned, starters)}
            rows.append(ask.labelled(group, row))
    return rows


def _windows(spec: Retention) -> list[tuple[Any, int, str]]:
    """(its name, its last day that must have passed, SQL over the day `d` of a return)."""
    days: list[tuple[Any, int, str]] = [(day, day, f"d = {day}") for day in spec.days]
    unbounded = [(f">={day}", day, f"d >= {day}") for day in spec.unbounded]
    brackets = [(f"{low}-{high}", high, f"d BETWEEN {low} AND {high}") for low, high in spec.brackets]
    return [*days, *unbounded, *brackets]


def _sql(ask: Ask, spec: Retention, windows: list[tuple[int, str]]) -> str:
    clock = ask.clock
    join, group = ask.groups("st.user_id", clock.day("st.start_ms"))
    back = ask.events(spec.back)
    if spec.mode == "calendar":
        age = f"{clock.day(str(ask.limit))} - {clock.day('st.start_ms')} - 1"
        # Of one local date only the last return matters: it tells whether any came after the start.
        returns = (
            f"SELECT e.user_id, {clock.day('e.time_ms')} AS day, max(e.time_ms) AS time_ms FROM ({back}) e"
            f" {clock.join('e.user_id')} GROUP BY 1, 2"
        )
        d = "r.day - s.day"
    else:
        age = f"CAST(floor(({ask.limit} - st.start_ms) / 8.64e7) AS BIGINT) - 1"
        returns = back
        d = "CAST(floor((r.time_ms - s.start_ms) / 8.64e7) AS BIGINT)"
    flags = [f"max(CASE WHEN {condition} THEN 1 ELSE 0 END) AS h{i}" for i, (_, condition) in enumerate(windows)]
    sums = []
    for i, (last, _) in enumerate(windows):
        sums.append(f"coalesce(sum(CASE WHEN s.age >= {last} THEN s.n END), 0)")
        sums.append(f"coalesce(sum(CASE WHEN s.age >= {last} AND h.h{i} = 1 THEN s.n END), 0)")
    return f"""
WITH starts AS ({starts_sql(ask, spec.start)}),
s AS (SELECT st.user_id, st.start_ms, st.n, {clock.day("st.start_ms")} AS day, {age} AS age, {group} AS g
      FROM starts st {clock.join("st.user_id")} {join}),
r AS ({returns}),
hits AS (SELECT user_id, start_ms, {", ".join(flags)}
         FROM (SELECT s.user_id, s.start_ms, {d} AS d
               FROM s JOIN r ON r.user_id = s.user_id AND r.time_ms > s.start_ms) x
         GROUP BY user_id, start_ms)
SELECT s.g, {", ".join(sums)}
FROM s LEFT JOIN hits h ON h.user_id = s.user_id AND h.start_ms = s.start_ms GROUP BY s.g"""
