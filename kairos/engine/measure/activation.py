"""Activation: of those who started, who did something often enough within a time."""

from __future__ import annotations

from kairos.engine.measure.ask import Ask, Row, rate, sorted_groups
from kairos.engine.measure.spec import Activation
from kairos.engine.measure.starts import starts_sql


def activation(ask: Ask, spec: Activation) -> list[Row]:
    """Counted are starters whose time is over, and events strictly later than the start and before its end."""
    join, group = ask.groups("st.user_id", ask.clock.day("st.start_ms"))
    zones = ask.clock.join("st.user_id") if ask.by == "week" else ""
    sql = f"""
WITH starts AS ({starts_sql(ask, spec.start)}),
s AS (SELECT st.user_id, st.start_ms, st.n, {group} AS g FROM starts st {zones} {join}
      WHERE st.start_ms + {spec.within} <= {ask.limit}),
counted AS (SELECT s.user_id, s.start_ms, count(*) AS times FROM s
            JOIN ({ask.events(spec.event)}) e ON e.user_id = s.user_id
            AND e.time_ms > s.start_ms AND e.time_ms < s.start_ms + {spec.within} GROUP BY s.user_id, s.start_ms)
SELECT s.g, sum(s.n), coalesce(sum(CASE WHEN c.times >= {spec.times} THEN s.n END), 0)
FROM s LEFT JOIN counted c ON c.user_id = s.user_id AND c.start_ms = s.start_ms GROUP BY s.g"""
    found = {group: (starters, activated) for group, starters, activated in ask.query(sql)}
    if ask.by is None:
        found.setdefault(0, (0, 0))
    return [ask.labelled(group, _row(*found[group])) for group in sorted_groups(found)]


def _row(starters: int, activated: int) -> Row:
    return {"starters": starters, "activated": activated, "rate": rate(activated, starters)}
