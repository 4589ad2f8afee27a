"""Rule crowds over history: an expression over a user's past becomes one SELECT.

Windows are exact: (as_of - W, as_of]. Everybody is asked who has an event up to as_of or a profile. Of nobody's events
`count` is 0 and everything else null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kairos.engine.expression import parse_history
from kairos.engine.expression.history import RFM
from kairos.engine.expression.sql.pieces import NULL, Kind, NotInSql, Sql, quoted
from kairos.engine.expression.sql.to_sql import condition_sql, number_sql
from kairos.engine.expression.tree import History, Node
from kairos.engine.measure.ask import EventColumns
from kairos.engine.measure.clock import Clock

KIND_OF_TYPE: Mapping[str, Kind] = {
    "string": "text", "date": "text", "number": "number", "integer": "number", "time": "number", "boolean": "boolean",
    "list": "json", "object": "json",
}  # fmt: skip
"""How a profile's field of a declared type stands in the warehouse."""


@dataclass(frozen=True)
class Past:
    """What a crowd is asked of. `as_of`: epoch ms. `fields`: column of `profiles` -> its kind. `crowd`: name -> a
    SELECT of user_id. `rfm`: a SELECT of the table rfm."""

    as_of: int
    clock: Clock
    fields: Mapping[str, Kind]
    crowd: Callable[[str], str]
    rfm: str


def everyone_sql(past: Past) -> str:
    return f"SELECT user_id FROM events WHERE time_ms <= {past.as_of} UNION SELECT user_id FROM profiles"


def members_sql(where: str, past: Past) -> str:
    """A SELECT of the user_id of everybody of whom the expression is true."""
    person = PersonColumns(past)
    condition = condition_sql(parse_history(where).tree, person)
    return f"SELECT u.user_id FROM ({everyone_sql(past)}) u{person.joins('u.user_id')} WHERE {condition}"


def ranked_sql(of: str, by: str, count: int, past: Past) -> str:
    """A SELECT of the `count` users of `of` (a SELECT of user_id) with the greatest values; null is the least."""
    person = PersonColumns(past)
    value = number_sql(parse_history(by).tree, person)
    rows = f"SELECT u.user_id, {value} AS value FROM ({of}) u{person.joins('u.user_id')}"
    return f"SELECT user_id FROM ({rows}) r ORDER BY value DESC NULLS LAST, user_id LIMIT {count}"


def values_sql(by: str, past: Past) -> str:
    """A SELECT of user_id and value, of everyone."""
    person = PersonColumns(past)
    value = number_sql(parse_history(by).tree, person)
    return f"SELECT u.user_id, {value} AS value FROM ({everyone_sql(past)}) u{person.joins('u.user_id')}"


def check_history(tree: Node) -> None:
    """Raises NotInSql for what no warehouse can tell."""
    clock = Clock.of("UTC", (), 0, 0)
    person = PersonColumns(Past(0, clock, _EveryField(), lambda name: name, ""))
    condition_sql(tree, person)
    person.joins("u.user_id")


class _EveryField(dict[str, Kind]):
    def __missing__(self, _name: str) -> Kind:
        return "json"


class PersonColumns:
    """The names of an expression about one user; `joins` brings in what it has read."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._asked: dict[History, str] = {}
        self._reads: set[str] = set()

    def joins(self, user: str) -> str:
        """LEFT JOINs, each with a row a user at most. `user`: the SQL column with the user's id."""
        parts = []
        if "profiles" in self._reads:
            parts.append(f"LEFT JOIN profiles p ON p.user_id = {user}")
        if "rfm" in self._reads:
            parts.append(f"LEFT JOIN ({self._past.rfm}) rfm ON rfm.user_id = {user}")
        if "zone" in self._reads:
            parts.append(self._past.clock.join(user))
        if self._asked:
            parts.append(f"LEFT JOIN ({_history_sql(self._asked, self._past)}) h ON h.user_id = {user}")
        return "".join(f" {part}" for part in parts)

    def history(self, asked: History) -> Sql:
        column = f"h.{self._asked.setdefault(asked, f'h{len(self._asked)}')}"
        if asked.function == "count":
            return Sql("number", f"coalesce({column}, 0e0)")
        valued = asked.function in ("first", "last") and asked.prop is not None
        return Sql("json" if valued else "number", column)

    def field(self, root: str, name: str) -> Sql:
        if root == "event":
            return Sql("number", f"{float(self._past.as_of)!r}")
        if root != "profile":
            raise NotInSql(f"{root}.{name} is counted in the job: the warehouse is asked count(TYPE, 30d) and the like")
        kind = self._past.fields[name] if name in self._past.fields or _knows_all(self._past.fields) else None
        if kind is None:
            return NULL
        self._reads.add("profiles")
        column = f'p."{name}"'
        return Sql(kind, f"CAST({column} AS DOUBLE)" if kind == "number" else column)

    def step_prop(self, step: str, prop: str, which: str) -> Sql:
        if step != "rfm" or prop not in RFM:
            raise NotInSql(f"{step}.{prop}: there is no step here")
        self._reads.add("rfm")
        return Sql("text", "rfm.segment") if prop == "segment" else Sql("number", f"CAST(rfm.{prop} AS DOUBLE)")

    def in_crowd(self, name: str) -> Sql:
        return Sql("boolean", f"(u.user_id IN ({self._past.crowd(name)}))")

    def prop(self, name: str) -> Sql:
        raise NotInSql(f"{name}: there is no event here")

    def step_count(self, step: str) -> Sql:
        raise NotInSql(f"{step}.count: there is no step here")

    def offset(self, time: str) -> str:
        self._reads.add("zone")
        return self._past.clock.offset(time)


def _knows_all(fields: Mapping[str, Kind]) -> bool:
    return isinstance(fields, _EveryField)


# ------------------------------------------------------------------------------------------------------ aggregates
def _history_sql(asked: Mapping[History, str], past: Past) -> str:
    """A row a user who has such events."""
    reads = EventColumns(past.clock)
    columns = [f"{_aggregate(history, reads, past.as_of)} AS {name}" for history, name in asked.items()]
    types = ", ".join(sorted({quoted(history.event) for history in asked}))
    where = [f"e.type IN ({types})", f"e.time_ms <= {past.as_of}"]
    windows = [history.window for history in asked]
    if None not in windows:
        where.append(f"e.time_ms > {past.as_of - max(window or 0 for window in windows)}")
    zone = f" {past.clock.join('e.user_id')}" if reads.local else ""
    return f"SELECT e.user_id, {', '.join(columns)} FROM events e{zone} WHERE {' AND '.join(where)} GROUP BY e.user_id"


def _aggregate(asked: History, reads: EventColumns, as_of: int) -> str:
    these = [f"e.type = {quoted(asked.event)}"]
    if asked.window is not None:
        these.append(f"e.time_ms > {as_of - asked.window}")
    if asked.condition is not None:
        these.append(condition_sql(asked.condition, reads))
    value = "" if asked.prop is None else f"kairos_json(e.props, '$.{asked.prop}')"
    if value and asked.function in ("first", "last"):
        these.append(f"{value} IS NOT NULL")
    only = f"FILTER (WHERE {' AND '.join(these)})"
    number = f"kairos_number({value})"
    total = f"CAST(sum(kairos_exact({number})) {only} AS DOUBLE) / 1e9"
    match asked.function:
        case "count":
            return f"CAST(count(*) {only} AS DOUBLE)"
        case "total":
            return total
        case "avg":
            return f"{total} / nullif(count(kairos_exact({number})) {only}, 0)"
        case "min" | "max":
            return f"{asked.function}({number}) {only}"
        case "distinct":
            key = f"coalesce(kairos_of_number({number}), {value})"
            return f"nullif(CAST(count(DISTINCT {key}) {only} AS DOUBLE), 0e0)"
    end = "min" if asked.function == "first" else "max"
    if not value:
        return f"{float(as_of)!r} - {end}(e.time_ms) {only}"
    order = "lpad(CAST(e.time_ms AS VARCHAR), 13, '0') || e.source || ' ' || e.id"
    return f"{end}_by({value}, {order}) {only}"
