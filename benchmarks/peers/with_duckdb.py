"""The questions of benchmarks/measure.py by hand, in SQL: `python -m benchmarks.peers.with_duckdb WAREHOUSE`."""

from __future__ import annotations

import sys

import duckdb

from benchmarks.peers.shop import CHURN_MS, DAY_MS, DAYS, LIMIT_MS, REPURCHASE_DAYS, WEEK_MS, Answers, tell

EVENTS = "SELECT * FROM read_parquet('{}/events/*/*.parquet')"
RETENTION = f"""
WITH s AS (SELECT user_id, min(time_ms) AS t FROM events WHERE type = 'home' GROUP BY 1),
r AS (SELECT e.user_id, e.time_ms // {DAY_MS} AS day, max(e.time_ms) AS t FROM events e
      WHERE type IN ('home', 'catalog') GROUP BY 1, 2),
h AS (SELECT s.user_id, {", ".join(f"bool_or(r.day - s.t // {DAY_MS} = {d}) AS d{d}" for d in DAYS)},
      bool_or(r.day - s.t // {DAY_MS} >= 7) AS later
      FROM s JOIN r ON r.user_id = s.user_id AND r.t > s.t GROUP BY 1),
a AS (SELECT s.user_id, $limit // {DAY_MS} - s.t // {DAY_MS} - 1 AS age FROM s)
SELECT {", ".join(f"count(*) FILTER (age >= {d}), count(*) FILTER (age >= {d} AND d{d})" for d in DAYS)},
       count(*) FILTER (age >= 7), count(*) FILTER (age >= 7 AND later) FROM a LEFT JOIN h USING (user_id)"""
ACTIVATION = f"""
WITH s AS (SELECT user_id, min(time_ms) AS t FROM events WHERE type = 'home' GROUP BY 1),
m AS (SELECT * FROM s WHERE t + {WEEK_MS} <= $limit)
SELECT count(*), count(*) FILTER (EXISTS (SELECT 1 FROM events e WHERE e.user_id = m.user_id AND e.type = 'purchase'
       AND e.time_ms > m.t AND e.time_ms < m.t + {WEEK_MS})) FROM m"""
LIFECYCLE = f"""
WITH a AS (SELECT DISTINCT user_id, (time_ms // {DAY_MS} + 3) // 7 AS w FROM events),
n AS (SELECT w, lag(w) OVER u AS before, lead(w) OVER u AS after FROM a WINDOW u AS (PARTITION BY user_id ORDER BY w))
SELECT w, count(*) FILTER (before IS NULL), count(*) FILTER (before = w - 1), count(*) FILTER (before < w - 1),
       count(*) FILTER (after IS NULL OR after > w + 1) FROM n GROUP BY 1 ORDER BY 1"""
CHURN = f"""
SELECT count(*), count(*) FILTER (last < $as_of - {CHURN_MS}) FROM
(SELECT min(time_ms) AS first, max(time_ms) AS last FROM events
 WHERE time_ms >= $as_of - {2 * CHURN_MS} AND time_ms < $as_of GROUP BY user_id) WHERE first < $as_of - {CHURN_MS}"""
REPURCHASE = f"""
WITH d AS (SELECT DISTINCT user_id, time_ms // {DAY_MS} AS day FROM events
           WHERE type = 'purchase' AND CAST(props->>'$.amount' AS DOUBLE) > 10),
b AS (SELECT user_id, min(day) AS first, list_sort(list(day))[2] AS again FROM d GROUP BY 1)
SELECT count(*), count(*) FILTER ($limit // {DAY_MS} > first + {REPURCHASE_DAYS}),
       count(*) FILTER ($limit // {DAY_MS} > first + {REPURCHASE_DAYS} AND again - first <= {REPURCHASE_DAYS}) FROM b"""


def ask(warehouse: str) -> Answers:
    with duckdb.connect(config={"memory_limit": "3GB"}) as database:
        database.execute(f"CREATE VIEW events AS {EVENTS.format(warehouse)}")
        (as_of,) = database.execute("SELECT max(time_ms) FROM events").fetchone() or (0,)

        def rows(sql: str) -> list[tuple[int, ...]]:
            sql = sql.replace("$limit", str(as_of - LIMIT_MS)).replace("$as_of", str(as_of))
            return database.execute(sql).fetchall()

        return Answers(
            as_of, rows(RETENTION)[0], rows(ACTIVATION)[0], rows(LIFECYCLE), rows(CHURN)[0], rows(REPURCHASE)[0]
        )


if __name__ == "__main__":
    tell(ask, sys.argv[1])
