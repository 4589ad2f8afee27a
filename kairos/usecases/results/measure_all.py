"""Everything that the warehouse can say of the rules, as the report, its page and its picture show it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.engine.measure.kinds import BY_OF_KIND, Question
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.model import RuleSet
from kairos.engine.warehouse.tables import DECISIONS, RECEIPTS
from kairos.usecases.progress import Progress, silent
from kairos.usecases.results.measure import Answer, Wanted, answers, questions

KINDS = frozenset(BY_OF_KIND)
FEW = 20
"""So many questions of activities read the tables as they are: to sort the tables costs about as much."""


def measure_all(
    warehouse: Path,
    rules: RuleSet,
    measures: Measures,
    wanted: Wanted,
    engine: str = DUCKDB,
    kinds: Container[str] = KINDS,
    progress: Progress = silent,
) -> list[Answer]:
    """Activity by activity, then what is about users; only measures of these kinds.

    `engine`: "duckdb", or the URL of a Trino. Raises AskError and WarehouseError.
    """
    found: list[Answer] = []
    with closing(open_engine(warehouse, engine)) as opened, progress("measuring", None) as tell:
        for answer in _told(opened, rules, measures, wanted, kinds):
            found.append(answer)
            if tell is not None:
                tell(len(found))
    return found


def _told(
    engine: Engine, rules: RuleSet, measures: Measures, wanted: Wanted, kinds: Container[str]
) -> Iterator[Answer]:
    asked = [question for question in questions(engine, rules, measures, wanted) if question.kind in kinds]
    kinds_asked = [question.kind for question in asked if question.subject]
    if len(kinds_asked) > FEW:
        engine.by_activity(DECISIONS, *([] if {*kinds_asked} == {"lift"} else [RECEIPTS]))
    for question in sorted(asked, key=_place):
        for by in told_by(question):
            yield from answers(engine, rules, measures, replace(wanted, by=by), [question])


def _place(question: Question) -> tuple[bool, str]:
    """Those of one activity stand together; sorting keeps the order that they have."""
    return question.subject is None, question.subject.name if question.subject else ""


def told_by(question: Question) -> list[str | None]:
    """Retention once more for the beginners of each week, lift for each variant where there are several, or were: who
    has published the best one still wants to see by how much."""
    if question.kind == "retention":
        return [None, "week"]
    if question.kind == "lift" and (subject := question.subject) is not None:
        every = (subject.current, *subject.versions.values())
        return [None, "variant"] if any(len(arms.variants) > 1 for arms in every) else [None]
    return [None]
