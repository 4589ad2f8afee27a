"""The life of a case: what happens to it is looked up in the table, and done. Every change of a case begins here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kairos.engine.case import deciding, receipts, stopping
from kairos.engine.case.own_events import events_of_receipt, step_event
from kairos.engine.case.reserved import close, forget
from kairos.engine.case.table import TABLE, Action, Input
from kairos.engine.case.turn import Turn
from kairos.engine.decision import Cause
from kairos.engine.effect import Result
from kairos.engine.event import Event
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.journey import is_part
from kairos.engine.user.case import RANK, Case
from kairos.engine.user.moment import Instant

_DO: Mapping[str, Callable[[Turn], list[Result]]] = {
    Action.SEND: deciding.send,
    Action.HOLD: deciding.hold,
    Action.TAKE_OUT: deciding.take_out,
    Action.NOTE: deciding.note,
    Action.SUPPRESS: deciding.suppress,
    Action.TAKE_BACK: receipts.refuse,
    Action.ARRIVE: receipts.arrive,
    Action.FALL_BACK: receipts.fall_back,
    Action.RETRY: receipts.retry,
    Action.END: receipts.end,
    Action.TOO_LATE: receipts.note_too_late,
    Action.REACH: receipts.reach,
    Action.STOP: stopping.stop,
    Action.UNDO: stopping.undo,
}


def step(given: str, turn: Turn) -> list[Result]:
    """Looks up what the table does with this input in the stage of the case, and does it. No entry: nothing happens."""
    action = TABLE[given].get(turn.case.stage)
    if action is None:
        return []
    if action == Action.ASK:
        turn.case.come_due()
        return step(*deciding.ask_gates(turn.instant, turn.activity, turn.case))
    return _DO[action](turn)


def come_due(instant: Instant, case: Case) -> list[Result]:
    """Asks the gates about a case that is due: after its match, a hold, or the wait for a receipt.

    A case whose activity is no longer in the rules is dropped.
    """
    activity = instant.program.compiled(case.activity, case.version)
    if activity is None:
        forget(instant, case)
        return []
    return step(Input.DUE, Turn(instant, activity, case))


def put_forward(instant: Instant, case: Case) -> tuple[list[Result], Turn | None]:
    """Asks the gates about a candidate that has to compete. Returns its turn where they allow it, else what they did
    with it."""
    activity = instant.program.compiled(case.activity, case.version)
    if activity is None:
        forget(instant, case)
        return [], None
    case.come_due()
    given, turn = deciding.ask_gates(instant, activity, case)
    return ([], turn) if given == Input.ALLOWED else (step(given, turn), None)


def hear(instant: Instant, receipt: Event) -> list[Result]:
    """Applies a receipt: to reservations, to the fallback, and as an event of the user (`message.sent` and the like).

    Props: `activity`, `status`, and optionally `occurrence`, `channel`, `attempt`, `reason`. A receipt without a send
    is only counted.
    """
    case = receipts.case_of(instant.state, receipt)
    activity = instant.program.compiled(case.activity, case.version) if case is not None else None
    if case is None or activity is None:
        return _hear_of_journey(instant, receipt)
    given = receipts.input_of(case, receipt)
    if given is None:
        return _count_as_unknown(instant)
    status = receipt.props["status"]
    turn = Turn(instant, activity, case, status=status, at=receipt.time)
    answered = [] if given in (Input.EARLIER, Input.NO_BUDGET) else stopping.hear_answer(turn)
    done = step(given, turn)
    return [*answered, *done, *events_of_receipt(instant, case, receipts.attempt_of(case, receipt), status)]


def _hear_of_journey(instant: Instant, receipt: Event) -> list[Result]:
    """Tells a journey of a receipt whose case is gone: a journey knows its messages longer than cases are kept."""
    of, occurrence = receipt.props.get("activity"), receipt.props.get("occurrence")
    status = receipt.props.get("status")
    known = isinstance(of, str) and is_part(of) and isinstance(occurrence, str)
    if known and isinstance(status, str) and status and status in RANK:
        return [step_event(instant, str(of), str(occurrence), status)]
    return _count_as_unknown(instant)


def _count_as_unknown(instant: Instant) -> list[Result]:
    instant.surroundings.counters["receipt_without_send"] += 1
    return []


def happen(given: str, instant: Instant, activity: CompiledActivity, case: Case, cause: Cause) -> list[Result]:
    """What an event does to a case that was decided before: `cause` stands in the record of what it stops."""
    return step(given, Turn(instant, activity, case, cause=cause))


def drop(instant: Instant, cases: Iterable[Case]) -> list[Result]:
    """Gives these cases up, because too much is kept of the user."""
    effects: list[Result] = []
    for case in cases:
        activity = instant.program.compiled(case.activity, case.version)
        if activity is None:
            effects += close(instant, None, case)
        else:
            effects += happen(Input.TOO_LARGE, instant, activity, case, "too_large")
        forget(instant, case)
    return effects
