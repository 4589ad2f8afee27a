"""`kairos measure`: what the warehouse says to the measures of the rules."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.engine.expression.condition import Script
from kairos.engine.expression.sql.pieces import NotInSql
from kairos.engine.measure.ask import Ask, CannotAsk, Query, Row, Rows
from kairos.engine.measure.clock import Clock
from kairos.engine.measure.entries import Goal, Subject
from kairos.engine.measure.epochs import Arms
from kairos.engine.measure.kinds import BY, BY_OF_KIND, Question, answer
from kairos.engine.measure.spec import Happening, Lift, Measures, Money, Reach, kind_of
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.text.report import listed, nearest
from kairos.engine.rule.text.scalars import is_zone
from kairos.usecases.errors import AskError
from kairos.usecases.progress import Progress, silent


@dataclass(frozen=True)
class Wanted:
    """`names` empty: everything. Times in epoch ms; `as_of` None: the newest event."""

    names: Sequence[str] = ()
    as_of: int | None = None
    start: int | None = None
    end: int | None = None
    by: str | None = None


@dataclass(frozen=True)
class Answer:
    """`as_of` in epoch ms. A row is what kind `kind` has, with the field of `by` in front. `sql`: what was asked."""

    measure: str
    kind: str
    as_of: int
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    sql: list[str] = field(default_factory=list)
    by: str | None = None

    def plain(self) -> dict[str, Any]:
        as_of = datetime.fromtimestamp(self.as_of / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"measure": self.measure, "kind": self.kind, "as_of": as_of, "rows": self.rows, "notes": self.notes}

    def section(self) -> dict[str, Any]:
        """The same with what was asked, and by what it is told."""
        return {**self.plain(), "sql": self.sql, "by": self.by}


def measure(
    warehouse: Path,
    rules: RuleSet,
    measures: Measures,
    wanted: Wanted,
    engine: str = DUCKDB,
    progress: Progress = silent,
) -> list[Answer]:
    """`engine`: "duckdb", or the URL of a Trino. Raises AskError and WarehouseError."""
    with closing(open_engine(warehouse, engine)) as opened:
        chosen = questions(opened, rules, measures, wanted)
        found: list[Answer] = []
        with progress("measuring", len(chosen)) as tell:
            for one in answers(opened, rules, measures, wanted, chosen):
                found.append(one)
                if tell is not None:
                    tell(len(found))
        return found


def questions(engine: Engine, rules: RuleSet, measures: Measures, wanted: Wanted) -> list[Question]:
    """What is asked, in order: those of measures.yaml, then reach, lift and money of each activity. Raises AskError."""
    subjects = _subjects(engine, rules)
    known = {name: _question(name, measure, subjects) for name, measure in measures.measures.items()}
    implicit = {}
    for name, subject in subjects.items():
        for measure in (Reach(name), Lift(name), Money(name)):
            implicit[f"{kind_of(measure)}/{name}"] = Question(f"{kind_of(measure)}/{name}", measure, subject)
    every = {**known, **implicit}
    for name in wanted.names:
        if name not in every:
            hint = nearest(name, every) or f"there are {listed(sorted(every)[:20], 'and')}"
            raise AskError(f"there is no measure '{name}'; {hint}")
    _check_by(engine, rules, wanted.by)
    chosen = (
        [every[name] for name in dict.fromkeys(wanted.names)] if wanted.names else _overview(every, rules, measures)
    )
    for question in chosen:
        if wanted.names and not question.takes(wanted.by):
            takes = [by for by in BY if by.partition(".")[0] in BY_OF_KIND[question.kind]]
            raise AskError(f"{question.name}: {question.kind} is not told by {wanted.by}, but by {listed(takes)}")
    return [question for question in chosen if question.takes(wanted.by)]


def _question(name: str, measure: Any, subjects: Mapping[str, Subject]) -> Question:
    return Question(name, measure, subjects[measure.activity] if hasattr(measure, "activity") else None)


def _overview(every: Mapping[str, Question], rules: RuleSet, measures: Measures) -> list[Question]:
    """Without what can have no answer: a watch contacts nobody, and without a goal nobody knows what to count."""
    chosen = []
    for name, question in every.items():
        activity = rules.activities[question.subject.name] if question.subject and "/" in name else None
        if activity is not None:
            if activity.part == "entry" and question.kind == "money":  # what costs are its messages
                continue
            if not activity.send and not activity.variants and activity.part != "entry":
                continue
            if question.kind != "reach" and activity.goal is None:
                continue
            if question.kind == "money" and measures.purchase is None:
                continue
        chosen.append(question)
    return chosen


def _check_by(engine: Engine, rules: RuleSet, by: str | None) -> None:
    root, dot, name = (by or "").partition(".")
    if by is None or by in [known for known in BY if "." not in known]:
        return
    if root not in ("profile", "crowd") or not dot or not name:
        raise AskError(f"--by {by}: expected {listed(BY)}")
    if root == "profile":
        known = [column for column in engine.columns("profiles") if column != "user_id"]
        if name not in known:
            raise AskError(
                f"--by {by}: profiles have no field '{name}'; {nearest(name, known) or listed(known, 'and')}"
            )
    else:
        crowds = {*rules.crowds, *(row[0] for row in engine.query("SELECT DISTINCT crowd FROM crowd_members").rows)}
        if name not in crowds:
            raise AskError(
                f"--by {by}: there is no crowd '{name}'; {nearest(name, crowds) or listed(sorted(crowds), 'and')}"
            )


def answers(
    engine: Engine, rules: RuleSet, measures: Measures, wanted: Wanted, chosen: Sequence[Question]
) -> Iterator[Answer]:
    """One by one, in order. Raises AskError and QueryError."""
    as_of = wanted.as_of if wanted.as_of is not None else newest_event(engine)
    clock = clock_of(engine, rules, as_of)
    for question in chosen:
        asked: list[str] = []
        ask = Ask(_recorded(engine, asked), clock, as_of, wanted.start, wanted.end, wanted.by)
        try:
            rows = answer(ask, question, measures)
        except (CannotAsk, NotInSql) as error:
            rows, ask.notes = [], [*ask.notes, str(error)]
        yield Answer(question.name, question.kind, as_of, rows, ask.notes, asked, wanted.by)


def _recorded(engine: Engine, asked: list[str]) -> Query:
    def query(sql: str) -> Rows:
        asked.append(sql.strip())
        return engine.query(sql).rows

    return query


def newest_event(engine: Engine) -> int:
    """Its time, epoch ms. Raises AskError."""
    newest: int | None = engine.query("SELECT max(time_ms) FROM events").rows[0][0]
    if newest is None:
        raise AskError("the warehouse has no events: --as-of is needed")
    return newest


def clock_of(engine: Engine, rules: RuleSet, as_of: int) -> Clock:
    """Of the users whose zones the profiles name, and of all others."""
    oldest = engine.query("SELECT min(time_ms) FROM events").rows[0][0]
    named: list[str] = []
    if engine.columns("profiles").get("timezone") == "VARCHAR":
        found = engine.query("SELECT DISTINCT timezone FROM profiles WHERE timezone IS NOT NULL").rows
        named = [name for (name,) in found if is_zone(name)]
    return Clock.of(rules.policy.timezone, named, oldest if oldest is not None else as_of, as_of)


# ------------------------------------------------------------------------------------------------------- activities
def _subjects(engine: Engine, rules: RuleSet) -> dict[str, Subject]:
    versions: dict[str, dict[str, Arms]] = defaultdict(dict)
    facts: dict[str, tuple[str | None, str | None]] = {}
    sql = "SELECT activity, version, control, variants, salt, theme, plan FROM activities ORDER BY activity, version"
    for name, version, control, variants, salt, theme, plan in engine.query(sql).rows:
        weights = tuple(sorted((json.loads(variants) if variants else {}).items()))
        versions[name][version] = Arms(json.loads(control) if control else None, weights, salt or name)
        facts[name] = (theme, plan)
    return {name: _subject(activity, versions[name], *facts.get(name, (activity.theme or None, None)))
            for name, activity in sorted(rules.activities.items())}  # fmt: skip


def _subject(activity: Activity, versions: Mapping[str, Arms], theme: str | None, plan: str | None) -> Subject:
    weights = tuple(sorted((variant.name, variant.weight) for variant in activity.variants))
    current = Arms(activity.audience.control, weights, activity.name)
    return Subject(activity.name, current, dict(versions), _goal(activity), theme, plan, activity.part == "entry")


def _goal(activity: Activity) -> Goal | None:
    goal = activity.goal
    if goal is None:
        return None
    steps = {step.name: step.types for step in activity.pattern.steps if step.kind == "event"}
    where = None if isinstance(goal.where, Script) else goal.where
    return Goal(Happening(goal.events, where, goal.value), goal.within, steps, isinstance(goal.where, Script))
