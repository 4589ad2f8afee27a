"""Who is counted and from when: the starts of retention and activation."""

from __future__ import annotations

from kairos.engine.measure.ask import Ask
from kairos.engine.measure.spec import Start


def starts_sql(ask: Ask, start: Start) -> str:
    """A SELECT of user_id, start_ms and n: so many starts of this user at this very moment."""
    events = ask.events(start.event)
    if start.kind == "each":
        return (
            f"SELECT user_id, time_ms AS start_ms, count(*) AS n FROM ({events}) e"
            f" WHERE {ask.in_range('time_ms')} GROUP BY user_id, time_ms"
        )
    inside = f"WHERE {ask.in_range('time_ms')}" if start.kind == "first_in_range" else ""
    first = f"SELECT user_id, min(time_ms) AS start_ms, 1 AS n FROM ({events}) e {inside} GROUP BY user_id"
    return f"SELECT user_id, start_ms, n FROM ({first}) f WHERE {ask.in_range('start_ms')}"
