"""What can be measured here, and by what it can be told: for whoever chooses from a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kairos.adapters.warehouse.port import Engine
from kairos.engine.measure.kinds import BY, BY_OF_KIND, OF_USERS
from kairos.engine.measure.spec import Measures
from kairos.engine.profile.fields import OWN_FIELDS
from kairos.engine.rule.model import RuleSet
from kairos.usecases.results.measure import Wanted, questions


@dataclass(frozen=True)
class Measurable:
    """`kinds`: names of measures, by kind. `told_by`: kind -> each `by` that it takes."""

    kinds: dict[str, list[str]]
    told_by: dict[str, list[str]]

    @property
    def names(self) -> list[str]:
        return [name for names in self.kinds.values() for name in names]

    def kind_of(self, name: str) -> str:
        return next((kind for kind, names in self.kinds.items() if name in names), "")


def measurable(engine: Engine, rules: RuleSet, measures: Measures) -> Measurable:
    """About users first, then about activities. Raises AskError, QueryError."""
    asked = sorted(questions(engine, rules, measures, Wanted()), key=lambda each: each.subject is not None)
    kinds: dict[str, list[str]] = {}
    for question in asked:
        kinds.setdefault(question.kind, []).append(question.name)
    of_users = [f"profile.{name}" for name in engine.columns("profiles") if name not in {"user_id", *OWN_FIELDS}]
    crowds = engine.query("SELECT DISTINCT crowd FROM crowd_members ORDER BY crowd").rows
    of_users += [f"crowd.{name}" for (name,) in crowds]
    return Measurable(kinds, {kind: _told_by(kind, of_users) for kind in kinds})


def _told_by(kind: str, of_users: Sequence[str]) -> list[str]:
    takes = BY_OF_KIND[kind]
    return [by for by in BY if by in takes] + (list(of_users) if set(OF_USERS) & set(takes) else [])
