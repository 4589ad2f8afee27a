"""Random streams through MATCH_RECOGNIZE of the installed Flink, for what SQL can say: strict patterns in a window."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyflink.table import EnvironmentSettings, TableEnvironment

from kairos.engine.event import Event
from kairos.engine.pattern import AfterMatch, Pattern, Step, Times
from tests.conformance.harness import Case, ids, run

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(600)]

STREAMS, LENGTH, WITHIN_SECONDS = 60, 12, 6

Row = tuple[int, ...]
"""Number of the query, of the stream, then for each variable its first event (-1: none) and how many it has.

Strict contiguity makes that the whole match.
"""


def step(name: str, condition: list[Any], times: Times | None = None, **settings: Any) -> Step:
    inside: Any = "relaxed" if times is None else "consecutive"
    return Step("event", ("e",), name, json.dumps(condition), "strict", times, inside=inside, **settings)


A = step("A", ["name", "a"])
C = step("C", ["name", "c"])
GE_1 = ["ge", 1]
PLUS = Times(1, None)


@dataclass(frozen=True)
class Query:
    """A pattern in both languages: steps here, PATTERN and the definition of B there."""

    steps: tuple[Step, ...]
    sql: str
    b: str
    skip: AfterMatch

    @property
    def sql_skip(self) -> str:
        return {"skip_past_last": "PAST LAST ROW", "skip_to_next": "TO NEXT ROW", "skip_to_last": "TO LAST B"}[
            self.skip.kind
        ]


SHAPES = [
    ((A, step("B", GE_1), C), "A B C", "B.x >= 1"),
    ((A, step("B", GE_1, PLUS, greedy=True), C), "A B+ C", "B.x >= 1"),
    ((A, step("B", GE_1, PLUS), C), "A B+? C", "B.x >= 1"),
    ((A, step("B", GE_1, Times(2, 3), greedy=True), C), "A B{2,3} C", "B.x >= 1"),
    ((A, step("B", ["gt_last", "A"], PLUS, greedy=True), C), "A B+ C", "B.x > A.x"),
    ((A, step("B", ["sum_lt", "B", 3], PLUS, greedy=True), C), "A B+ C", "SUM(B.x) < 3"),
]
SKIPS = [AfterMatch("skip_past_last"), AfterMatch("skip_to_next"), AfterMatch("skip_to_last", "B")]
# Each shape under two of the three strategies: every query costs the planner about a second.
QUERIES = [Query(*shape, skip=SKIPS[(n + m) % 3]) for n, shape in enumerate(SHAPES) for m in range(2)]


def streams() -> list[tuple[Event, ...]]:
    chance = random.Random(20)
    return [
        tuple(
            Event(str(place), "e", place * 1000, "", {"name": chance.choice("aabc"), "x": chance.randint(0, 2)})
            for place in range(LENGTH)
        )
        for _ in range(STREAMS)
    ]


def ours(every: list[tuple[Event, ...]]) -> Iterator[Row]:
    for number, query in enumerate(QUERIES):
        pattern = Pattern(query.steps, WITHIN_SECONDS * 1000, after_match=query.skip)
        for stream, events in enumerate(every):
            for match in ids(run(Case(pattern, events))):
                parts = [(int(match[name][0]), len(match[name])) for name in ("A", "B", "C")]
                yield (number, stream, *(value for part in parts for value in part))


def flinks(every: list[tuple[Event, ...]], folder: Path) -> Iterator[Row]:
    lines = [
        f"{stream},{event.id},{event.props['name']},{event.props['x']},{event.time}"
        for stream, events in enumerate(every)
        for event in events
    ]
    (folder / "events.csv").write_text("\n".join(lines) + "\n")
    environment = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    environment.get_config().set("parallelism.default", "1")
    environment.execute_sql(f"""
        CREATE TABLE events (
            track INT, place INT, name STRING, x INT, ms BIGINT,
            ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts
        ) WITH ('connector' = 'filesystem', 'path' = '{folder.as_uri()}', 'format' = 'csv')""")
    statement = " UNION ALL ".join(sql(number, query) for number, query in enumerate(QUERIES))
    with environment.execute_sql(statement).collect() as rows:
        for row in rows:
            yield tuple(int(value) for value in row)


def sql(number: int, query: Query) -> str:
    return f"""
        SELECT {number}, track, a, na, b, nb, c, nc FROM events MATCH_RECOGNIZE (
            PARTITION BY track ORDER BY ts
            MEASURES
                FIRST(A.place) AS a, COUNT(A.place) AS na,
                FIRST(B.place) AS b, COUNT(B.place) AS nb,
                FIRST(C.place) AS c, COUNT(C.place) AS nc
            ONE ROW PER MATCH AFTER MATCH SKIP {query.sql_skip}
            PATTERN ({query.sql}) WITHIN INTERVAL '{WITHIN_SECONDS}' SECOND
            DEFINE A AS A.name = 'a', B AS {query.b}, C AS C.name = 'c')"""


def test_matches_are_those_of_match_recognize(tmp_path: Path) -> None:
    every = streams()
    expected = Counter(flinks(every, tmp_path))
    assert len(expected) > STREAMS
    assert Counter(ours(every)) == expected
