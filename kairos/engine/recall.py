"""Calling back what should not be sent after all, and regretting what could not be called back.

The attempt under way is with a delivery worker. It gets a `Recall`, and answers with the receipt `recalled` (it will
not be sent) or `too_late`. Where there are no workers nobody would answer, and nothing is called back.
"""

from __future__ import annotations

from kairos.engine.deciding import cancel, record_of
from kairos.engine.effect import Recall
from kairos.engine.lifecycle import end_attempts
from kairos.engine.moment import Moment
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.user_state import CALLED_BACK, Case

CAME_TO_NOTHING = frozenset({"recalled", "released", "failed", "expired"})


def give_up(moment: Moment, case: Case, now: int) -> None:
    """A goal, or the event that its final absence was about: whatever of this case has not gone yet shall not go."""
    _call_back(moment, case, now)
    record = cancel(moment, case, now)
    if record is not None:
        moment.effects.append(record)


def undo(moment: Moment, activity: CompiledActivity, case: Case, now: int) -> None:
    """A late event showed that this should not have been decided. It is regretted, unless nothing has come of it."""
    case.undone = True
    _call_back(moment, case, now)
    if case.receipt != CALLED_BACK and (case.reached or case.receipt not in CAME_TO_NOTHING):
        _regret(moment, activity, case, now)
    end_attempts(moment, case)


def hear_answer(moment: Moment, activity: CompiledActivity, case: Case, status: str, now: int) -> None:
    """The first receipt after a recall says whether it came in time; an earlier attempt may have gone all the same.

    Only a wrong decision is regretted: one that its goal has overtaken was right when it was made.
    """
    if case.receipt == CALLED_BACK and case.undone and (case.reached or status not in CAME_TO_NOTHING):
        _regret(moment, activity, case, now)


def _call_back(moment: Moment, case: Case, now: int) -> None:
    if moment.has_workers and case.under_way:
        case.receipt = CALLED_BACK
        moment.effects.append(Recall(case.activity, moment.user_id, case.occurrence, case.attempt, case.channel, now))


def _regret(moment: Moment, activity: CompiledActivity, case: Case, now: int) -> None:
    moment.at_case(case, activity)
    record = record_of(moment, activity, case, "regret", now)
    record.channel = case.channel or None
    moment.effects.append(record)
