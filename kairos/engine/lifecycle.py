"""A case after its match: how long it is kept, how it ends, and how what it had reserved is given back."""

from __future__ import annotations

from kairos.engine.effect import Refund
from kairos.engine.moment import Moment
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend
from kairos.engine.user_state import Case
from kairos.engine.variant import choose_variant

SEND_BEFORE = 86_400_000  # after this long a delivery is pointless, where the activity does not say


def next_entry(activity: CompiledActivity, case: Case, user_id: str) -> CompiledSend | None:
    """The entry of `send` that stands in for the last one, if there is one."""
    variant = choose_variant(activity, user_id)
    if variant is None or case.entry + 1 >= len(variant.sends):
        return None
    return variant.sends[case.entry + 1]


def count_for_once(moment: Moment, activity: CompiledActivity, case: Case) -> None:
    """Remembered only where `once` asks for it, so that a user of whom nothing is kept has no state."""
    once = moment.state.once
    if activity.spec.limits.once != "occurrence":
        case.once_was = once.get(activity.name)
        once[activity.name] = case.sent_at


def keep(moment: Moment, activity: CompiledActivity, case: Case) -> None:
    """Keep a decided case as long as a goal, a receipt, a fallback or a late event may concern it."""
    until = 0
    if activity.goal is not None and not activity.is_watch:
        until = case.decided_at + activity.goal.within
    if activity.matcher.has_final_absence:
        until = max(until, case.decided_at + moment.regret_for)
    if case.attempt and (case.fallback_at or moment.awaits_receipt(moment.user_id, case, case.sent_at)):
        until = max(until, case.decided_at + 2 * SEND_BEFORE + _patience(activity))
    case.keep_until = max(case.keep_until, until)
    kept = case in moment.state.cases
    if case.keep_until > case.decided_at and not kept:
        moment.state.cases.append(case)
    elif case.keep_until <= case.decided_at and kept:
        forget(moment, case)


def _patience(activity: CompiledActivity) -> int:
    return sum(send.spec.after or 0 for variant in activity.variants for send in variant.sends)


def forget(moment: Moment, case: Case) -> None:
    moment.state.cases = [other for other in moment.state.cases if other is not case]


def end_attempts(moment: Moment, case: Case) -> None:
    """Nothing more is tried for this case; it stays only where something was sent that a goal may follow."""
    case.held_until = case.fallback_at = case.give_up = 0
    case.held_for = ""
    case.closed = True
    if case.attempt == 0 and not case.control:
        forget(moment, case)
    elif not case.reached and case.receipt in ("failed", "recalled", "released"):
        release(moment, case)


def release(moment: Moment, case: Case) -> None:
    """Give back, once, what a send that reached nobody had reserved; those that wait for a slot may try again."""
    if case.freed:
        return
    case.freed = True
    activity = moment.plan.compiled(case.activity, case.version)
    if activity is not None and activity.spec.limits.budget is not None:
        moment.effects.append(Refund(case.activity, moment.user_id, case.occurrence, moment.scope.now))
    free_slots(moment, case)


def free_slots(moment: Moment, case: Case) -> None:
    state = moment.state
    left = [r for r in state.reservations if r.occurrence != case.occurrence]
    if len(left) == len(state.reservations):
        return
    state.reservations = left
    for other in state.cases:
        if other is not case and other.held_for.startswith("cap:"):
            other.held_until = min(other.held_until, max(state.applied_until, moment.scope.now))


def take_back(moment: Moment, case: Case) -> None:
    """Undo a send that the budget refused: it used up nothing, and `once` is as if it had never been."""
    once = moment.state.once
    if once.get(case.activity) == case.sent_at:
        if case.once_was is None:
            del once[case.activity]
        else:
            once[case.activity] = case.once_was
    free_slots(moment, case)
    forget(moment, case)


def ask_again(moment: Moment, case: Case) -> None:
    """The delivery was not made because quiet hours had begun: the same entry is asked about again, as after a hold."""
    if case.receipt == "released":
        return
    if case.closed:  # it was given up meanwhile
        case.receipt = "recalled"
        end_attempts(moment, case)
        return
    case.receipt = "released"
    case.entry -= 1
    case.fallback_at = moment.scope.now
