"""What receipts do: to what was reserved, to the fallback, and to what was recalled."""

from __future__ import annotations

from kairos.engine.case.reserved import close, take_back
from kairos.engine.case.stopping import stop
from kairos.engine.case.table import Input
from kairos.engine.case.turn import Turn
from kairos.engine.effect import Result
from kairos.engine.event import Event
from kairos.engine.user.case import RANK, Case
from kairos.engine.user.cases import naming
from kairos.engine.user.state import UserState

_INPUTS = {
    **dict.fromkeys((status for status in RANK if status), Input.WENT),
    "failed": Input.FAILED,
    "expired": Input.FAILED,
    "released": Input.HANDED_BACK,
    "recalled": Input.RECALLED,
    "too_late": Input.TOO_LATE,
}


ASKED_AGAIN = ("quiet_hours", "send_window")


def is_refusal(receipt: Event) -> bool:
    """Whether the receipt says that the budget was used up, so that there never was a delivery."""
    return receipt.props.get("status") == "released" and receipt.props.get("reason") not in ASKED_AGAIN


def input_of(case: Case, receipt: Event) -> str | None:
    """None: no such status is known.

    `released` comes with a `reason`: one of `ASKED_AGAIN` for a delivery that may not go now and shall be asked about
    again, else the budget refused it. A receipt that comes after the fallback has left recalls nothing.
    """
    status, props = receipt.props.get("status"), receipt.props
    if not isinstance(status, str) or status not in _INPUTS:
        return None
    if props.get("attempt") not in (None, case.attempt) or props.get("channel") not in (None, case.channel):
        return Input.EARLIER
    return Input.NO_BUDGET if is_refusal(receipt) else _INPUTS[status]


def case_of(state: UserState, receipt: Event) -> Case | None:
    """By occurrence where the receipt names one, else the user's latest send of that activity."""
    activity, occurrence = receipt.props.get("activity"), receipt.props.get("occurrence")
    if not isinstance(activity, str) or not isinstance(occurrence, str | None):
        return None
    fitting = [
        case
        for case in naming(state, (activity,), *((occurrence,) if occurrence else ()))
        if case.attempt
        and case.activity == activity
        and occurrence in (None, case.occurrence)
        and case.sent_at <= receipt.time
        and (occurrence is not None or receipt.props.get("channel") in (None, case.channel))
    ]
    return max(fitting, key=lambda case: (case.sent_at, case.occurrence), default=None)


def attempt_of(case: Case, receipt: Event) -> int:
    """By its number, else the last one on its channel, else the last one."""
    number, channel = receipt.props.get("attempt"), receipt.props.get("channel")
    on_channel = [told.attempt for told in case.told if told.channel == channel]
    return number if isinstance(number, int) else max(on_channel, default=case.attempt)


def arrive(turn: Turn) -> list[Result]:
    """Notes a receipt of the last attempt. `after` counts from `sent`, or from a later receipt that came without it."""
    case, following, before = turn.case, turn.following, turn.case.receipt
    case.arrive(turn.status)
    if case.receipt == "failed" or case.closed or following is None or following.spec.after is None:
        return []
    if RANK.get(case.receipt, 0) >= RANK[following.spec.unless]:
        return _need_no_other(turn, before)
    if turn.status != "unknown" and (before in ("", "unknown") or turn.status == "sent"):
        case.stand_in(turn.at, following.spec.after)
    return []


def _need_no_other(turn: Turn, before: str) -> list[Result]:
    """The receipt that makes the fallback unnecessary has come. `before`: the best one until now."""
    case, following, observer = turn.case, turn.following, turn.instant.surroundings.observer
    assert following is not None
    if observer is not None and RANK.get(before, 0) < RANK[following.spec.unless]:
        observer.fallback(turn.activity, turn.instant, case, following)
    case.need_no_other()
    return stop(Turn(turn.instant, turn.activity, case, cause="receipt")) if case.held_for else []


def fall_back(turn: Turn) -> list[Result]:
    """The attempt failed: the next entry of `send` is tried at once, unless that is pointless by now."""
    turn.case.end_attempt("failed")
    if turn.case.closed or turn.following is None:
        return close(turn.instant, turn.activity, turn.case)
    turn.case.stand_in_now(turn.now)
    return []


def retry(turn: Turn) -> list[Result]:
    """Asks the gates about the same entry again, because quiet hours had begun before the delivery was made."""
    case = turn.case
    if case.receipt == "released":
        return []
    if case.closed:  # it was given up meanwhile
        case.end_attempt("recalled")
        return close(turn.instant, turn.activity, case)
    case.hand_back(turn.now)
    return []


def end(turn: Turn) -> list[Result]:
    """Ends the case: the recall came in time, and the message did not go."""
    turn.case.end_attempt("recalled")
    return close(turn.instant, turn.activity, turn.case)


def note_too_late(turn: Turn) -> list[Result]:
    """Notes that the message had gone before the recall came. A better receipt that is known already stays."""
    if turn.case.unheard_of or turn.case.is_called_back:
        turn.case.end_attempt("too_late")
    return []


def reach(turn: Turn) -> list[Result]:
    """A receipt of an attempt before the last one: what that attempt had reserved stays reserved."""
    if turn.status in RANK:
        turn.case.arrive_earlier()
    return []


def refuse(turn: Turn) -> list[Result]:
    """Takes the send back: the budget refused it, so it has used up nothing."""
    return take_back(turn.instant, turn.case)
