"""Before all other gates: a slot of a schedule that could not be kept in time, or whose run was stopped, is over."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress
from kairos.engine.rule.model import SLOT


def slot(q: Question) -> Verdict | None:
    for event in q.case.steps.get(SLOT, ()):
        if event.props.get("instead") == "expired":
            return suppress("expired", "its turn did not come before `until` of the pace")
        if event.props.get("instead") == "paused":
            return suppress("paused", "the run was stopped")
    return None
