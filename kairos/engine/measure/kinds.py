"""Every kind of measure in one table: what answers it, and by what it can be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from kairos.engine.measure.activation import activation
from kairos.engine.measure.activity_of_users import churn, lifecycle
from kairos.engine.measure.ask import Ask, CannotAsk, Row
from kairos.engine.measure.attribution import attribution
from kairos.engine.measure.entries import Subject
from kairos.engine.measure.matching import matching
from kairos.engine.measure.reach import reach
from kairos.engine.measure.repurchase import repurchase
from kairos.engine.measure.retention import retention
from kairos.engine.measure.spec import (
    Activation,
    Attribution,
    Churn,
    Lifecycle,
    Lift,
    Matching,
    Measure,
    Measures,
    Money,
    Reach,
    Repurchase,
    Retention,
    kind_of,
)
from kairos.engine.measure.trials import lift, money
from kairos.engine.measure.visits import visits
from kairos.engine.measure.way import way

BY = ("variant", "channel", "week", "hour", "theme", "plan", "profile.F", "crowd.C")
OF_USERS = ("profile", "crowd")
OF_ACTIVITIES = ("theme", "plan")

BY_OF_KIND: dict[str, tuple[str, ...]] = {
    "reach": ("variant", "channel", "week", *OF_ACTIVITIES, *OF_USERS),
    "lift": ("variant", "week", *OF_ACTIVITIES, *OF_USERS),
    "money": ("variant", "week", *OF_ACTIVITIES, *OF_USERS),
    "retention": ("week", *OF_USERS),
    "activation": ("week", *OF_USERS),
    "lifecycle": OF_USERS,
    "churn": OF_USERS,
    "repurchase": ("week", *OF_USERS),
    "visits": ("week", "hour", *OF_USERS),
    "attribution": ("channel", "week", *OF_USERS),
    "matching": (),
}


class Question(NamedTuple):
    """`subject`: the activity, where the measure is about one."""

    name: str
    measure: Measure
    subject: Subject | None = None

    @property
    def kind(self) -> str:
        return kind_of(self.measure)

    def takes(self, by: str | None) -> bool:
        return by is None or by.partition(".")[0] in BY_OF_KIND[self.kind]


def answer(ask: Ask, question: Question, given: Measures) -> list[Row]:
    """The rows. Raises CannotAsk and NotInSql."""
    measure, subject = question.measure, question.subject
    if subject is None:
        return _of_users(ask, measure)
    facts = {"theme": subject.theme, "plan": subject.plan}
    if ask.by not in facts:
        return _of_activity(ask, measure, subject, given)
    whole = _of_activity(replace(ask, by=None), measure, subject, given)
    return [{ask.by: facts[ask.by], **row} for row in whole]


def _of_activity(ask: Ask, measure: Measure, subject: Subject, given: Measures) -> list[Row]:
    match measure:
        case Reach():
            return way(ask, subject) if subject.journey else reach(ask, subject)
        case Lift():
            return lift(ask, measure, subject)
        case Money():
            if given.purchase is None:
                raise CannotAsk("measures.yaml does not say what a purchase is")
            return money(ask, measure, subject, given.purchase, given.margin, given.costs)
    raise TypeError(measure)


def _of_users(ask: Ask, measure: Measure) -> list[Row]:
    match measure:
        case Retention():
            return retention(ask, measure)
        case Activation():
            return activation(ask, measure)
        case Lifecycle():
            return lifecycle(ask, measure)
        case Churn():
            return churn(ask, measure)
        case Repurchase():
            return repurchase(ask, measure)
        case Attribution():
            return attribution(ask, measure)
        case Matching():
            return matching(ask, measure)
        case _:
            return visits(ask, measure)  # type: ignore[arg-type]
