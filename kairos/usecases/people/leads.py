"""`kairos leads`: who fits, and is interested: by grade, then by how interested they are, with the reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kairos.adapters.warehouse.port import Engine, Value
from kairos.engine.event import Event
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts
from kairos.engine.metric.spec import Metric
from kairos.engine.profile.fields import SCORE
from kairos.engine.score.interest import Interest
from kairos.engine.score.spec import GRADES, Grades
from kairos.usecases.errors import AskError, NotThereError
from kairos.usecases.people.scores import Sources

_SPAN = 7 * 86_400_000
"""ms of events read at once."""


@dataclass(frozen=True)
class Lead:
    """`reasons`: the rule of the grade, then what the interest is from."""

    user_id: str
    grade: str
    interest: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """`grades` empty: all. `at_least`: of interest, None: whatever it is."""

    grades: Collection[str] = ()
    at_least: float | None = None
    most: int = 50


def leads(sources: Sources, grades: Grades | None, wanted: Wanted, as_of: int | None = None) -> list[Lead]:
    """The best first. Raises NotThereError where there are no grades, AskError and WarehouseError."""
    if grades is None:
        raise NotThereError(f"{sources.folder}: there is no grades.yaml, which says who fits")
    known = sources.as_of(as_of)
    interest = _interest(sources, grades, known)
    found = []
    for profile in _profiles(sources.engine):
        user = profile["user_id"]
        grade, rule = _graded(grades, profile)
        value, reasons = (None, []) if interest is None else interest(user, profile)
        if (wanted.grades and grade not in wanted.grades) or (
            wanted.at_least is not None and (value is None or value < wanted.at_least)
        ):
            continue
        found.append(Lead(user, grade, value, (*([rule] if rule else []), *reasons)))
    found.sort(key=lambda lead: (GRADES.index(lead.grade), -(lead.interest or 0.0), lead.user_id))
    return found[: wanted.most]


def _graded(grades: Grades, profile: Mapping[str, Any]) -> tuple[str, str]:
    scope = Facts(profile=profile)
    for grade, rule in grades.rules.items():
        if parse(rule).predicate()(scope):
            return grade, rule
    return GRADES[-1], ""


def _profiles(engine: Engine) -> Iterator[dict[str, Any]]:
    answer = engine.query("SELECT * FROM profiles ORDER BY user_id")
    for row in answer.rows:
        yield {name: value for name, value in zip(answer.columns, row, strict=True) if value is not None}


def _interest(sources: Sources, grades: Grades, as_of: int) -> Any:
    """A function of (user, profile) to (value, reasons); None: nothing says how interested anybody is."""
    if grades.interest is None:
        return None
    root, _, name = grades.interest.partition(".")
    if root == "profile":
        return _of_profile(sources.engine, name)
    metric = sources.rules.metrics[name]
    if metric.per is not None:
        raise AskError(f"grades.yaml: metric.{name} has a value for each {metric.per}; interest is one number")
    interest = Interest(metric, ZoneInfo(sources.rules.policy.timezone))
    for event in _events(sources.engine, metric, as_of):
        interest.add(event)
    return lambda user, _profile: (interest.value(user, as_of), interest.reasons(user, as_of))


def _of_profile(engine: Engine, name: str) -> Any:
    """A score that is built is newer in its table than in the profiles that were loaded."""
    sql = "SELECT user_id, value, reasons FROM scores WHERE score = $score"
    rows = engine.query(sql, {"score": name.removeprefix(SCORE)}).rows if name.startswith(SCORE) else []
    built = {user: (value, msgspec.json.decode(reasons) if reasons else []) for user, value, reasons in rows}

    def told(user: str, profile: Mapping[str, Any]) -> tuple[float | None, list[str]]:
        value = profile.get(name)
        return built.get(user, (float(value) if isinstance(value, int | float) else None, []))

    return told


def _events(engine: Engine, metric: Metric, as_of: int) -> Iterator[Event]:
    """In order of time; a span at a time, for all of them may be more than memory holds."""
    types: dict[str, Value | Sequence[Value]] = {"types": list(metric.of)}
    first = engine.query("SELECT min(time_ms) FROM events WHERE type IN $types", types).rows[0][0]
    if first is None:
        return
    sql = (
        "SELECT id, type, time_ms, source, props, user_id, merged FROM events WHERE type IN $types "
        "AND time_ms >= $start AND time_ms < $end ORDER BY time_ms, source, id"
    )
    for start in range(first, as_of + 1, _SPAN):
        bounds = {**types, "start": start, "end": min(start + _SPAN, as_of + 1)}
        for id_, type_, time, source, props, user, merged in engine.query(sql, bounds).rows:
            yield Event(id_, type_, time, source, msgspec.json.decode(props or "{}"), user, bool(merged))
