"""What a warehouse knows of everybody's past, as kept crowds ask it."""

from __future__ import annotations

from collections.abc import Callable

from kairos.adapters.warehouse.port import Engine
from kairos.engine.crowd.past import KIND_OF_TYPE, Past
from kairos.engine.crowd.select import select_of, snapshot_sql
from kairos.engine.event import OWN
from kairos.engine.expression.sql.pieces import Kind, quoted
from kairos.engine.measure.ask import Ask
from kairos.engine.profile.fields import OWN_FIELDS
from kairos.engine.rule.model import RuleSet
from kairos.engine.score.purchases import purchases_sql
from kairos.engine.score.rfm import rfm_sql
from kairos.usecases.crowds.places import Places
from kairos.usecases.results.measure import clock_of

_KIND_OF_COLUMN: dict[str, Kind] = {"VARCHAR": "text", "BIGINT": "number", "DOUBLE": "number", "BOOLEAN": "boolean"}


def past_of(engine: Engine, places: Places, as_of: int, is_fixed: Callable[[str], bool]) -> Past:
    """`is_fixed`: of which named crowds the live snapshot is asked; the others are computed as of then."""
    rules = places.rules

    def crowd(name: str) -> str:
        return snapshot_sql(name) if is_fixed(name) else select_of(rules.crowds[name], past)

    clock = clock_of(engine, rules, as_of)
    ask = Ask(lambda sql: engine.query(sql).rows, clock, as_of)
    rfm = rfm_sql(purchases_sql(ask, places.measures.purchase))
    past = Past(as_of, clock, _fields(engine, rules), crowd, rfm)
    return past


def newest_event(engine: Engine) -> int | None:
    """When (epoch ms) the last event that was loaded happened; Kairos' own say nothing about its sources."""
    foreign = " AND ".join(f"NOT starts_with(type, {quoted(prefix)})" for prefix in OWN)
    newest: int | None = engine.query(f"SELECT max(time_ms) FROM events WHERE {foreign}").rows[0][0]
    return newest


def _fields(engine: Engine, rules: RuleSet) -> dict[str, Kind]:
    """Of the columns of profiles. A field that is declared has its type; another the one that its values have shown."""
    declared = {**OWN_FIELDS, **(rules.profile or {})}
    columns = {name: type_ for name, type_ in engine.columns("profiles").items() if name != "user_id"}
    return {
        name: KIND_OF_TYPE[declared[name]] if name in declared else _KIND_OF_COLUMN[type_]
        for name, type_ in columns.items()
    }
