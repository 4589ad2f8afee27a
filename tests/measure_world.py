"""A small warehouse in memory, for tests of measures: rows in, answers out, by the SQL that `kairos measure` asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import duckdb

from kairos.adapters.warehouse.duckdb import plain
from kairos.adapters.warehouse.functions import macros
from kairos.engine.measure.ask import Ask, Row
from kairos.engine.measure.clock import Clock
from kairos.engine.measure.entries import Subject
from kairos.engine.measure.kinds import Question, answer
from kairos.engine.measure.spec import Measure, Measures
from kairos.engine.warehouse.tables import DECISIONS, EVENTS, RECEIPTS, TABLES, Table


class Happened(NamedTuple):
    """An event; `time` in ms."""

    user: str
    type: str
    time: int
    props: Mapping[str, Any] = {}


@cache
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    for macro in macros():
        connection.execute(macro)
    for table in TABLES.values():
        columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
        more = ", timezone VARCHAR" if table.name == "profiles" else ""
        connection.execute(f"CREATE TABLE {table.name} ({columns}{more})")
    return connection


class World:
    """`zones`: user -> time zone; others have the policy's. A new world is empty, and ends the one before."""

    def __init__(self, policy: str = "UTC", zones: Mapping[str, str] | None = None) -> None:
        self.policy, self.zones = policy, dict(zones or {})
        self._connection = _database()
        for table in TABLES:
            self._connection.execute(f"DELETE FROM {table}")
        for user, zone in self.zones.items():
            self._connection.execute("INSERT INTO profiles (user_id, timezone) VALUES (?, ?)", [user, zone])

    def events(self, events: Iterable[Happened]) -> World:
        rows = [
            {"user_id": e.user, "source": "shop", "type": e.type, "id": f"e{number}", "time_ms": e.time,
             "props": json.dumps(e.props)}
            for number, e in enumerate(events)
        ]  # fmt: skip
        return self._insert(EVENTS, rows)

    def decisions(self, rows: Iterable[Mapping[str, Any]]) -> World:
        """Each with its own `user_id`, `occurrence`, `outcome`, `at_ms`, and whatever else is not usual."""
        usual = {"activity": "a", "version": "v", "attempt": 1, "shadow": False, "steps": "{}"}
        return self._insert(DECISIONS, [{**usual, **row} for row in rows])

    def receipts(self, rows: Iterable[Mapping[str, Any]]) -> World:
        usual = {"activity": "a", "attempt": 1, "channel": "sms", "segments": 1}
        return self._insert(RECEIPTS, [{**usual, **row} for row in rows])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(plain(value) for value in row) for row in self._connection.execute(sql).fetchall()]

    def ask(
        self,
        measure: Measure,
        as_of: int,
        subject: Subject | None = None,
        given: Measures | None = None,
        **bounds: Any,
    ) -> list[Row]:
        """The rows. `bounds`: start, end, by."""
        return self.told(measure, as_of, subject, given, **bounds)[0]

    def told(
        self, measure: Measure, as_of: int, subject: Subject | None = None, given: Measures | None = None, **bounds: Any
    ) -> tuple[list[Row], list[str]]:
        """The rows and the notes."""
        oldest = self.query("SELECT min(time_ms) FROM events")[0][0]
        clock = Clock.of(self.policy, self.zones.values(), as_of if oldest is None else oldest, as_of)
        ask = Ask(self.query, clock, as_of, **bounds)
        return answer(ask, Question("m", measure, subject), given or Measures()), ask.notes

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> World:
        for row in rows:
            places = ", ".join("?" * len(row))
            self._connection.execute(
                f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({places})", list(row.values())
            )
        return self
