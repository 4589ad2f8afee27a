"""Repurchase: a second purchase day, and how long it takes; those who have not come back yet count too."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from fractions import Fraction

from kairos.engine.measure.ask import Ask, Row, rate, sorted_groups
from kairos.engine.measure.spec import Repurchase

_QUANTILES = {"median_days": Fraction(1, 2), "p25_days": Fraction(1, 4), "p75_days": Fraction(3, 4)}


def repurchase(ask: Ask, spec: Repurchase) -> list[Row]:
    clock = ask.clock
    join, group = ask.groups("b.user_id", "b.day")
    today = clock.day(str(ask.as_of))
    settled = clock.day(str(ask.limit))
    sql = f"""
WITH days AS (SELECT e.user_id, {clock.day("e.time_ms")} AS day, min(e.time_ms) AS time_ms
              FROM ({ask.events(spec.event)}) e {clock.join("e.user_id")} GROUP BY 1, 2),
b AS (SELECT user_id, day, time_ms, lead(day) OVER (PARTITION BY user_id ORDER BY day) AS again,
      row_number() OVER (PARTITION BY user_id ORDER BY day) AS nth FROM days)
SELECT {group}, CASE WHEN {settled} > b.day + {spec.days} THEN 1 ELSE 0 END, b.again - b.day,
       CASE WHEN b.again IS NULL THEN {today} - b.day END, count(*)
FROM b {clock.join("b.user_id")} {join} WHERE b.nth = 1 AND {ask.in_range("b.time_ms")} GROUP BY 1, 2, 3, 4"""
    found: dict[object, list[tuple[int, int | None, int | None, int]]] = defaultdict(list)
    for g, *counted in ask.query(sql):
        found[g].append(tuple(counted))
    if ask.by is None:
        found.setdefault(0, [])
    return [ask.labelled(g, _row(found[g], spec.days)) for g in sorted_groups(found)]


def _row(counted: list[tuple[int, int | None, int | None, int]], days: int) -> Row:
    """`counted`: (mature, days until the second purchase, days waited without one, so many buyers)."""
    gaps: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    matured = again = 0
    for mature, gap, waited, buyers in counted:
        matured += buyers * mature
        if gap is not None:
            gaps[gap] += buyers
            again += buyers if mature and gap <= days else 0
        else:
            waiting[waited or 0] += buyers
    buyers = gaps.total() + waiting.total()
    row = {"buyers": buyers, "matured": matured, "repurchased": again, "rate": rate(again, matured)}
    return row | {name: kaplan_meier(gaps, waiting, share) for name, share in _QUANTILES.items()}


def kaplan_meier(gaps: Mapping[int, int], waiting: Mapping[int, int], share: Fraction) -> int | None:
    """The first day by which this share has come back; None: it is not reached. Day -> so many, of each kind.

    Who waits until a day has not come back on it.
    """
    at_risk = sum(gaps.values()) + sum(waiting.values())
    survival = Fraction(1)
    for day in sorted(gaps.keys() | waiting.keys()):
        if back := gaps.get(day, 0):
            survival *= Fraction(at_risk - back, at_risk)
            if survival <= 1 - share:
                return day
        at_risk -= back + waiting.get(day, 0)
    return None
