"""Stopping what should not go after all, and regretting what could not be stopped.

An attempt under way is with a delivery worker. It gets a `Recall`, and answers with the receipt `recalled` (it will not
be sent) or `too_late`. Where there are no workers nobody would answer, and nothing is called back.
"""

from __future__ import annotations

from kairos.engine.case.deciding import give_up
from kairos.engine.case.record import record_of
from kairos.engine.case.reserved import close
from kairos.engine.case.turn import Turn
from kairos.engine.effect import Recall, Result
from kairos.engine.user.case import CAME_TO_NOTHING


def stop(turn: Turn) -> list[Result]:
    """Whatever of this case has not gone yet shall not go: recall what is under way, cancel what waits."""
    return [*_call_back(turn), *_cancel(turn)]


def undo(turn: Turn) -> list[Result]:
    """A late event showed that this should not have been decided. It is regretted, unless nothing has come of it."""
    case = turn.case
    case.undo()
    recalled = _call_back(turn)
    regretted = []
    if not case.is_called_back and (case.reached or case.receipt not in CAME_TO_NOTHING):
        regretted = _regret(turn)
    return [*recalled, *regretted, *_cancel(turn)]


def hear_answer(turn: Turn) -> list[Result]:
    """The first receipt after a recall says whether it came in time; an earlier attempt may have gone all the same.

    Only a wrong decision is regretted: one that its goal has overtaken was right when it was made.
    """
    case = turn.case
    if case.is_called_back and case.undone and (case.reached or turn.status not in CAME_TO_NOTHING):
        return _regret(turn)
    return []


def _call_back(turn: Turn) -> list[Result]:
    instant, case = turn.instant, turn.case
    if not instant.surroundings.has_workers or not case.unheard_of:
        return []
    case.call_back()
    return [Recall(case.activity, instant.user_id, case.occurrence, case.attempt, case.channel, turn.now)]


def _cancel(turn: Turn) -> list[Result]:
    """A record, where a message was held or a fallback was still to come."""
    waits = turn.case.is_waiting and not turn.case.control
    return give_up(turn, "cancelled") if waits else close(turn.instant, turn.activity, turn.case)


def _regret(turn: Turn) -> list[Result]:
    record = record_of(turn.moment, turn.activity, turn.case, "regret")
    record.channel = turn.case.channel or None
    return [record]
