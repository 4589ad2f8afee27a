"""What receipts do: to reservations, to the fallback, and to what was recalled."""

from __future__ import annotations

from kairos.engine.event import Event
from kairos.engine.lifecycle import ask_again, end_attempts, next_entry, take_back
from kairos.engine.moment import Moment
from kairos.engine.recall import give_up, hear_answer
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend
from kairos.engine.user_state import CALLED_BACK, Case

# each later receipt implies the earlier ones; `unknown`: nobody can say whether it went
RANK = {"": 0, "unknown": 1, "sent": 1, "delivered": 2, "read": 3, "clicked": 4}
NOT_SENT = frozenset({"failed", "expired"})
ENDINGS = frozenset({"released", "recalled", "too_late"})


def apply_receipt(moment: Moment, receipt: Event) -> None:
    """A receipt acts on reservations and fallback, never on patterns. One that fits nothing is counted.

    Props: `activity`, `status`, and optionally `occurrence`, `channel`, `attempt`. `released` comes with a `reason`:
    `quiet_hours` for a delivery that may not go now and shall be asked about again, else the budget refused it.
    """
    case, status = _case_of_receipt(moment, receipt), receipt.props.get("status")
    activity = moment.plan.compiled(case.activity, case.version) if case is not None else None
    if case is None or activity is None or not isinstance(status, str) or not _known(status):
        moment.counters["receipt_without_send"] += 1
    elif not _of_last_attempt(case, receipt):
        case.reached = case.reached or status in RANK
    elif is_refusal(receipt):
        take_back(moment, case)
    else:
        hear_answer(moment, activity, case, status, moment.scope.now)
        _apply_to_last(moment, activity, case, status, receipt.time)


def is_refusal(receipt: Event) -> bool:
    """The budget was used up: there never was a delivery."""
    return receipt.props.get("status") == "released" and receipt.props.get("reason") != "quiet_hours"


def _apply_to_last(moment: Moment, activity: CompiledActivity, case: Case, status: str, at: int) -> None:
    if status in RANK:
        _reached(moment, case, next_entry(activity, case, moment.user_id), status, at)
    elif status in NOT_SENT:
        _failed(moment, activity, case, at)
    elif status == "released":
        ask_again(moment, case)
    elif status == "recalled":
        case.receipt = status
        end_attempts(moment, case)
    elif case.under_way or case.receipt == CALLED_BACK:
        case.receipt = status


def _known(status: str) -> bool:
    return (status in RANK and status != "") or status in NOT_SENT or status in ENDINGS


def _failed(moment: Moment, activity: CompiledActivity, case: Case, at: int) -> None:
    """Nothing came of the attempt: the next entry stands in, unless that is pointless by now."""
    case.receipt = "failed"
    if case.closed or next_entry(activity, case, moment.user_id) is None:
        end_attempts(moment, case)
    else:
        case.fallback_at = max(moment.state.applied_until, at)


def _reached(moment: Moment, case: Case, following: CompiledSend | None, status: str, at: int) -> None:
    """`after` counts from the `sent` receipt, or from a later one that came without it."""
    case.reached = True
    if case.receipt == "failed" and RANK[status] < RANK["delivered"]:
        return  # said again, after it is known what became of it
    first = case.receipt in ("", "unknown")
    if RANK[status] >= RANK.get(case.receipt, 0):
        case.receipt = status
    if case.closed or following is None or following.spec.after is None:
        return
    if RANK.get(case.receipt, 0) >= RANK[following.spec.unless]:
        case.fallback_at = 0
        if case.held_for:
            give_up(moment, case, max(moment.state.applied_until, at))
    elif status != "unknown" and (first or status == "sent"):
        case.counted_from = at
        case.fallback_at = at + following.spec.after


def _case_of_receipt(moment: Moment, receipt: Event) -> Case | None:
    """By occurrence where the receipt names one, else the user's latest send of that activity."""
    activity, occurrence = receipt.props.get("activity"), receipt.props.get("occurrence")
    fitting = [
        case
        for case in moment.state.cases
        if case.attempt
        and case.activity == activity
        and occurrence in (None, case.occurrence)
        and case.sent_at <= receipt.time
        and (occurrence is not None or receipt.props.get("channel") in (None, case.channel))
    ]
    return max(fitting, key=lambda case: (case.sent_at, case.occurrence), default=None)


def _of_last_attempt(case: Case, receipt: Event) -> bool:
    """A receipt that comes after the fallback has left is recorded and recalls nothing."""
    props = receipt.props
    return props.get("attempt") in (None, case.attempt) and props.get("channel") in (None, case.channel)
