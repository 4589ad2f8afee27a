"""Recency, frequency and money of every buyer: a score from 1 to 5 each, and a segment.

A score is 1 + min(4, floor(5 percent_rank)): ties share one, so amounts of 1 3 3 10 40 score 1 2 2 4 5. The segment
follows from recency and frequency alone, by the map that is widely used for these two.
"""

from __future__ import annotations

from kairos.engine.expression.sql.pieces import quoted

SEGMENTS = {
    "champions": ((5,), (4, 5)),
    "loyal": ((3, 4), (4, 5)),
    "potential_loyalists": ((4, 5), (2, 3)),
    "new": ((5,), (1,)),
    "promising": ((4,), (1,)),
    "need_attention": ((3,), (3,)),
    "about_to_sleep": ((3,), (1, 2)),
    "cannot_lose": ((1, 2), (5,)),
    "at_risk": ((1, 2), (3, 4)),
    "hibernating": ((1, 2), (1, 2)),
}
"""Segment -> (scores of recency, scores of frequency). Every pair of scores is in one of them."""


def rfm_sql(purchases: str) -> str:
    """A SELECT of user_id, r, f, m (BIGINT) and segment, a row a buyer.

    `purchases`: a SELECT of user_id, time_ms and value, a row a purchase; `value` is exact (`kairos_exact`), so that
    equal sums are equal in any order of rows, and null counts as 0.
    """
    return f"""
WITH rfm_buyers AS (SELECT user_id, max(time_ms) AS last_ms, count(*) AS purchases, coalesce(sum(value), 0) AS money
                    FROM ({purchases}) p GROUP BY user_id),
rfm_ranked AS (SELECT user_id, rank() OVER (ORDER BY last_ms) - 1 AS r, rank() OVER (ORDER BY purchases) - 1 AS f,
                      rank() OVER (ORDER BY money) - 1 AS m, count(*) OVER () - 1 AS others FROM rfm_buyers),
rfm_scored AS (SELECT user_id, {_score("r")} AS r, {_score("f")} AS f, {_score("m")} AS m FROM rfm_ranked)
SELECT user_id, r, f, m, {_segment()} AS segment FROM rfm_scored"""


def _score(rank: str) -> str:
    """SQL: the score 1 to 5 of a rank (0 is the least). Whole numbers are divided, so a fifth is one exactly."""
    return f"CASE WHEN others = 0 THEN 1 ELSE CAST(1 + least(4, floor(5e0 * {rank} / others)) AS BIGINT) END"


def _segment() -> str:
    cases = (
        f"WHEN r IN ({_listed(recency)}) AND f IN ({_listed(frequency)}) THEN {quoted(name)}"
        for name, (recency, frequency) in SEGMENTS.items()
    )
    return f"CASE {' '.join(cases)} END"


def _listed(scores: tuple[int, ...]) -> str:
    return ", ".join(map(str, scores))
