"""What the scheduler has planned and told, in SQL: no slot is lost, and none is told once more after it was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from kairos.adapters.database.column_types import NAME, TEXT
from kairos.adapters.database.connection import away
from kairos.engine.schedule.runs import Run

METADATA = sql.MetaData()

ACTIVITIES = sql.Table(
    "schedule_activities",
    METADATA,
    sql.Column("activity", NAME, primary_key=True),
    # Every slot up to here (epoch ms) has its runs below; of the schedule whose digest `meaning` is. `paused` is of
    # versions that had no switch: the migration to 0012 has made turns of it (activity_states).
    sql.Column("planned_until", sql.BigInteger, nullable=False),
    sql.Column("meaning", sql.String(16), nullable=False),
    sql.Column("paused", TEXT),
)

RUNS = sql.Table(
    "schedule_runs",
    METADATA,
    # A slot at one instant. `state`: open | done | skipped (past when it was published).
    sql.Column("activity", NAME, primary_key=True),
    sql.Column("slot", sql.String(16), primary_key=True),
    sql.Column("at", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("state", sql.String(16), nullable=False),
    sql.Column("begun_at", sql.BigInteger, nullable=False),
    sql.Column("ended_at", sql.BigInteger),
    # Everyone before this place in the run's order was told; of them `expired` too late. A float in hex digits.
    sql.Column("place", sql.String(32), nullable=False),
    sql.Column("told", sql.BigInteger, nullable=False),
    sql.Column("expired", sql.BigInteger, nullable=False),
)


class Progress(msgspec.Struct):
    """How far a run has got: see RUNS."""

    run: Run
    begun_at: int
    place: float = 0.0
    told: int = 0
    expired: int = 0
    state: str = "open"


class ScheduleRuns:
    """Calls block. All raise DatabaseAwayError. Times are epoch ms."""

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine

    def planned(self, activity: str) -> tuple[int, str] | None:
        """(until when, by the schedule of which digest); None: never."""
        columns = (ACTIVITIES.c.planned_until, ACTIVITIES.c.meaning)
        found = self._ask(sql.select(*columns).where(ACTIVITIES.c.activity == activity))
        return (found[0][0], found[0][1]) if found else None

    def plan(self, activity: str, meaning: str, runs: Sequence[Run], until: int, now: int, state: str = "open") -> None:
        """Notes the runs, those that are there already left alone, and that everything up to `until` is planned."""
        known = sql.select(RUNS.c.slot, RUNS.c.at).where(RUNS.c.activity == activity)
        with self._transaction() as connection:
            there = {tuple(row) for row in connection.execute(known)} if runs else set()
            for run in runs:
                if (run.slot, run.at) not in there:
                    row = {"activity": activity, "slot": run.slot, "at": run.at, "state": state, "begun_at": now}
                    connection.execute(RUNS.insert(), {**row, "place": (0.0).hex(), "told": 0, "expired": 0})
            mine = ACTIVITIES.c.activity == activity
            if connection.execute(sql.select(ACTIVITIES.c.activity).where(mine)).first() is None:
                row = {"activity": activity, "planned_until": until, "meaning": meaning}
                connection.execute(ACTIVITIES.insert(), row)
            else:
                connection.execute(ACTIVITIES.update().where(mine), {"planned_until": until, "meaning": meaning})

    def open(self) -> list[Progress]:
        """In the order of their slots."""
        return self._progress(RUNS.c.state == "open")

    def of(self, activity: str) -> list[Progress]:
        return self._progress(RUNS.c.activity == activity)

    def _progress(self, which: sql.ColumnElement[bool]) -> list[Progress]:
        columns = [RUNS.c[name] for name in ("at", "activity", "slot", "begun_at", "place", "told", "expired", "state")]
        rows = self._ask(sql.select(*columns).where(which).order_by(RUNS.c.at, RUNS.c.activity, RUNS.c.slot))
        return [Progress(Run(*row[:3]), row[3], float.fromhex(row[4]), *row[5:]) for row in rows]

    def keep(self, progress: Progress, ended_at: int | None) -> None:
        """`ended_at` None: it is not over."""
        run = progress.run
        mine = sql.and_(RUNS.c.activity == run.activity, RUNS.c.slot == run.slot, RUNS.c.at == run.at)
        values = {"place": progress.place.hex(), "told": progress.told, "expired": progress.expired}
        with self._transaction() as connection:
            over = {} if ended_at is None else {"state": "done", "ended_at": ended_at}
            connection.execute(RUNS.update().where(mine), {**values, **over})

    def _ask(self, query: sql.Select[Any]) -> Sequence[Any]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(query).all()
        except SQLAlchemyError as error:
            raise away(error) from None

    @contextmanager
    def _transaction(self) -> Iterator[sql.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise away(error) from None
