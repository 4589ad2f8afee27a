"""What the warehouse says, asked once for each state of its files."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from contextlib import closing
from typing import Any, TypeVar

import msgspec

from kairos.adapters.warehouse.opening import open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.apps.api.looking import loaded, warehouse_of
from kairos.apps.console.screen import ConsoleParts
from kairos.apps.page.page import Section, drawn, latest_lifts
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.control.activities import versions_of
from kairos.usecases.results.arrivals import Arrivals, arrivals
from kairos.usecases.results.measure import Wanted, answers, questions
from kairos.usecases.results.measure_all import measure_all, told_by
from kairos.usecases.results.sends import DAY, Lately, held, lately
from kairos.usecases.rules.kept import KeptOf

T = TypeVar("T")
DAYS = 30
"""So much of a person is told at first, before the newest event that anybody had; all of it takes seconds in a large
warehouse."""


def of_warehouse(parts: ConsoleParts, question: Hashable, ask: Callable[[Engine], T]) -> T:
    """`question`: all that the answer hangs on, beside the warehouse. Raises NotThereError and WarehouseError."""
    warehouse = warehouse_of(parts)

    def asked() -> T:
        with closing(open_engine(warehouse)) as engine:
            return ask(engine)

    return parts.answers.get(warehouse, question, asked)


def lately_of(parts: ConsoleParts) -> Lately:
    """Raises NotThereError and WarehouseError."""
    return of_warehouse(parts, "lately", lately)


def since_of(parts: ConsoleParts) -> int | None:
    """When what is told of a person at first begins, in epoch ms. None: nothing is known of any time."""
    try:
        as_of = lately_of(parts).as_of
    except KairosError:  # there is no warehouse: she may be known elsewhere
        return None
    return None if as_of is None else as_of - DAYS * DAY


def arrivals_of(parts: ConsoleParts) -> Arrivals:
    """Raises NotThereError and WarehouseError."""
    return of_warehouse(parts, "arrivals", arrivals)


def held_of(parts: ConsoleParts, activity: str) -> int:
    """Raises NotThereError and WarehouseError."""
    return of_warehouse(parts, ("held", activity), lambda engine: held(engine, activity))


def lifts_are_known(parts: ConsoleParts, rules: RuleSet) -> bool:
    """That asking for them takes no time."""
    return parts.answers.known(warehouse_of(parts), of_measures(parts, rules, "lifts"))


def lifts_of(parts: ConsoleParts, rules: RuleSet) -> Mapping[str, Any]:
    """Activity -> its row. Raises NotThereError, AskError and WarehouseError."""
    warehouse = warehouse_of(parts)

    def ask() -> Mapping[str, Any]:
        found = measure_all(warehouse, rules, loaded(parts).measures, Wanted(), kinds=frozenset({"lift"}))
        return latest_lifts([each.section() for each in found])

    return parts.answers.get(warehouse, of_measures(parts, rules, "lifts"), ask)


def panels_of(parts: ConsoleParts, rules: RuleSet, activity: str) -> list[Mapping[str, Any]]:
    """All that is measured of an activity or journey, drawn. Raises NotThereError, AskError and WarehouseError."""
    measures = loaded(parts).measures

    def ask(engine: Engine) -> list[Section]:
        every = questions(engine, rules, measures, Wanted())
        own = [each for each in every if each.subject is not None and journey_of(each.subject.name) == activity]
        return [
            answer.section()
            for each in own
            for by in told_by(each)
            for answer in answers(engine, rules, measures, Wanted(by=by), [each])
        ]

    sections = of_warehouse(parts, of_measures(parts, rules, "activity", activity), ask)
    return [drawn(section, latest_lifts(sections)) for section in sections]


def panels_are_known(parts: ConsoleParts, rules: RuleSet, activity: str) -> bool:
    warehouse = warehouse_of(parts)
    return parts.answers.known(warehouse, of_measures(parts, rules, "activity", activity))


def of_measures(parts: ConsoleParts, rules: RuleSet, *question: Hashable) -> Hashable:
    """A question that the measures.yaml beside these rules is part of."""
    return of_rules(rules, *question, hash(msgspec.json.encode(loaded(parts).measures)))


_told = KeptOf(
    lambda rules: (frozenset(versions_of(rules).items()), hash(msgspec.json.encode(rules.policy))),
)


def of_rules(rules: RuleSet, *question: Hashable) -> Hashable:
    """A question to these rules, as they stand."""
    return (*question, _told(rules))
