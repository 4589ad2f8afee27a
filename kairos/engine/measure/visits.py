"""Visits: stays at a place, told from pings."""

from __future__ import annotations

import json

from kairos.engine.measure.ask import Ask, Row, rate
from kairos.engine.measure.spec import Visits


def visits(ask: Ask, spec: Visits) -> list[Row]:
    """Pings with small gaps are one stay; a stay that is long enough, or a purchase, is a sign of a visit; a sign so
    long after the last one of the visit before begins a new visit."""
    user, group = ask.groups("v.user_id", ask.clock.day("v.start_ms"))
    if ask.by == "hour":
        group = ask.clock.hour("v.start_ms")
    zones = ask.clock.join("v.user_id") if ask.by in ("week", "hour") else ""
    other = ""
    if spec.purchase is not None:
        other = f"UNION ALL SELECT user_id, place, time_ms, time_ms FROM ({ask.events(spec.purchase)}) p"
    sql = f"""
WITH pings AS (SELECT user_id, place, time_ms,
    lag(time_ms) OVER (PARTITION BY user_id, place ORDER BY time_ms) AS before
    FROM ({ask.events(spec.ping)}) e WHERE place IS NOT NULL),
numbered AS (SELECT user_id, place, time_ms, sum(CASE WHEN time_ms - before <= {spec.gap} THEN 0 ELSE 1 END)
    OVER (PARTITION BY user_id, place ORDER BY time_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS stay
    FROM pings),
stays AS (SELECT user_id, place, min(time_ms) AS start_ms, max(time_ms) AS end_ms FROM numbered
    GROUP BY user_id, place, stay HAVING max(time_ms) - min(time_ms) >= {spec.dwell}),
signs AS (SELECT user_id, place, start_ms, end_ms FROM stays {other}),
v AS (SELECT user_id, place, start_ms, max(end_ms) OVER (PARTITION BY user_id, place ORDER BY start_ms, end_ms
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM signs WHERE place IS NOT NULL)
SELECT {group}, v.place, count(*), count(DISTINCT v.user_id) FROM v {zones} {user}
WHERE (before IS NULL OR v.start_ms - before >= {spec.again_after}) AND {ask.in_range("v.start_ms")} GROUP BY 1, 2"""
    found = sorted(ask.query(sql), key=lambda row: (row[0] is None, f"{row[0]:>8}", row[1]))
    return [
        ask.labelled(g, {"place": json.loads(place), "visits": n, "visitors": users, "per_visitor": rate(n, users)})
        for g, place, n, users in found
    ]
