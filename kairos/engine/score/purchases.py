"""What counts as a purchase, and what is known of every buyer from purchases alone."""

from __future__ import annotations

import msgspec

from kairos.engine.measure.ask import Ask
from kairos.engine.measure.spec import Happening

PURCHASE = Happening(("purchase",), value="amount")
"""Where measures.yaml says nothing of purchases."""


def purchases_sql(ask: Ask, purchase: Happening | None = None) -> str:
    """A SELECT of user_id, time_ms and value, a row a purchase up to `as_of`. `purchase`: of measures.yaml, where a
    purchase without `value` is worth nothing."""
    meant = purchase or PURCHASE
    return ask.events(msgspec.structs.replace(meant, value=meant.value or "0", place=None))


def histories_sql(ask: Ask, purchase: Happening | None = None) -> str:
    """A SELECT of user_id and, in days: x, further days with purchases; t_x, from the first such day to the last; t,
    from the first to the last that has begun before `as_of`; and `mean`, what one of the further days was worth."""
    clock = ask.clock
    last_day = clock.day(str(ask.as_of - 1))
    return f"""
WITH bought AS (SELECT e.user_id, {clock.day("e.time_ms")} AS day, coalesce(sum(e.value), 0) / 1e9 AS worth
                FROM ({purchases_sql(ask, purchase)}) e {clock.join("e.user_id")} GROUP BY 1, 2),
buyers AS (SELECT user_id, min(day) AS first_day, max(day) AS last_day, count(*) - 1 AS x FROM bought GROUP BY user_id)
SELECT b.user_id, max(b.x) AS x, max(b.last_day - b.first_day) AS t_x,
       max(greatest({last_day}, b.last_day) - b.first_day) AS t,
       coalesce(avg(CASE WHEN d.day > b.first_day THEN CAST(d.worth AS DOUBLE) END), 0) AS mean
FROM buyers b JOIN bought d ON d.user_id = b.user_id {clock.join("b.user_id")} GROUP BY b.user_id ORDER BY b.user_id"""
