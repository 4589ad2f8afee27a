"""A question to the warehouse: when, of whom, by what; and the pieces of SQL that all kinds of measures share."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kairos.engine.expression import parse
from kairos.engine.expression.sql.pieces import NotInSql, Sql, quoted
from kairos.engine.expression.sql.to_sql import condition_sql, number_sql
from kairos.engine.expression.tree import History
from kairos.engine.measure.clock import Clock
from kairos.engine.measure.spec import Happening

Rows = list[tuple[Any, ...]]
Query = Callable[[str], Rows]
Row = dict[str, Any]

LATENESS = 2_000
"""ms: what happened is complete so long before `as_of`."""


class CannotAsk(Exception):
    """The measure cannot be asked like this; the message says why."""


@dataclass
class Ask:
    """`as_of`, `start`, `end` in epoch ms; `[start, end)` bounds what begins. `notes` grow while answers are found."""

    query: Query
    clock: Clock
    as_of: int
    start: int | None = None
    end: int | None = None
    by: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def limit(self) -> int:
        """Epoch ms: a window that ends at this time or earlier is complete (mature)."""
        return self.as_of - LATENESS

    def in_range(self, time: str) -> str:
        """SQL: whether this time (SQL) lies in the range asked for."""
        bounds = [f"{time} <= {self.as_of}"]
        bounds += [f"{time} >= {self.start}"] if self.start is not None else []
        bounds += [f"{time} < {self.end}"] if self.end is not None else []
        return " AND ".join(bounds)

    def events(self, happening: Happening, *columns: str) -> str:
        """A SELECT of user_id, time_ms and further columns (`e.type`, ...) of these events up to `as_of`."""
        reads = EventColumns(self.clock)
        chosen = ["e.user_id", "e.time_ms", *columns]
        if happening.value is not None:
            chosen.append(f"kairos_exact({number_sql(parse(happening.value).tree, reads)}) AS value")
        if happening.place is not None:
            chosen.append(f"{reads.prop(happening.place).text} AS place")
        where = [f"e.type IN ({listed(happening.types)})", f"e.time_ms <= {self.as_of}"]
        if happening.where is not None:
            where.append(condition_sql(parse(happening.where).tree, reads))
        join = self.clock.join("e.user_id") if reads.local else ""
        return f"SELECT {', '.join(chosen)} FROM events e {join} WHERE {' AND '.join(where)}"

    # ------------------------------------------------------------------------------------------------------ `--by`
    def of_user(self, user: str) -> tuple[str, str]:
        """(JOIN, value) of `--by profile.x` and `--by crowd.x`, and of none of them."""
        root, _, name = (self.by or "").partition(".")
        if root == "profile":
            return f"LEFT JOIN profiles bp ON bp.user_id = {user}", f'bp."{name}"'
        if root == "crowd":
            where = f"crowd = {quoted(name)} AND to_n IS NULL"
            members = f"SELECT DISTINCT user_id, true AS inside FROM crowd_members WHERE {where}"
            return f"LEFT JOIN ({members}) bc ON bc.user_id = {user}", "coalesce(bc.inside, false)"
        return "", "0"

    def groups(self, user: str, day: str) -> tuple[str, str]:
        """The same, `--by week` included: the Monday of a local date (SQL, days since 1970)."""
        return ("", week_sql(day)) if self.by == "week" else self.of_user(user)

    def labelled(self, value: Any, row: Row) -> Row:
        """The row with the field that `--by` asks for in front."""
        if self.by is None:
            return row
        return {self.by: date_of(value) if self.by == "week" else value, **row}


class EventColumns:
    """The names of an expression that narrows events `e`. `local` becomes true where it asks for local time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.local = False

    def prop(self, name: str) -> Sql:
        return Sql("json", f"kairos_json(e.props, '$.{name}')")

    def field(self, root: str, name: str) -> Sql:
        if root != "event":
            raise NotInSql(f"{root}.{name} is not kept with events")
        return Sql("number", "CAST(e.time_ms AS DOUBLE)") if name == "time" else Sql("text", f"e.{name}")

    def step_prop(self, step: str, prop: str, which: str) -> Sql:
        raise NotInSql(f"{step}.{prop}: there is no step here")

    def step_count(self, step: str) -> Sql:
        raise NotInSql(f"{step}.count: there is no step here")

    def in_crowd(self, name: str) -> Sql:
        raise NotInSql("in_crowd() is not kept with events")

    def history(self, asked: History) -> Sql:
        raise NotInSql(f"{asked.function}() over the past is not kept with events")

    def offset(self, time: str) -> str:
        self.local = True
        return self._clock.offset(time)


def week_sql(day: str) -> str:
    """SQL: the Monday of a day."""
    return f"CAST(floor(({day} + 3) / 7e0) * 7 - 3 AS BIGINT)"  # 1969-12-29, day -3, was a Monday


def date_of(day: int | None) -> str | None:
    return None if day is None else (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


def listed(texts: Iterable[str]) -> str:
    return ", ".join(quoted(text) for text in texts)


def sorted_groups(values: Iterable[Any]) -> list[Any]:
    """In a fixed order, null last."""
    return sorted(values, key=lambda value: (value is None, isinstance(value, str), value if value is not None else 0))


def rate(part: float, whole: float) -> float | None:
    return part / whole if whole else None
