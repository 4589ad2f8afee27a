"""What a send uses up (caps, budget, `once`), how it is given back, and how long a case is kept."""

from __future__ import annotations

from kairos.engine.case.codes import returns_of
from kairos.engine.case.own_events import event_of_step
from kairos.engine.effect import Refund, Result
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.journey import OVER, slot_of
from kairos.engine.user.case import Case
from kairos.engine.user.cases import add, naming, remove, waiting
from kairos.engine.user.moment import Instant
from kairos.engine.user.once import once_key
from kairos.engine.user.state import Reservation

LISTENED = 30 * 86_400_000  # so long after a message what becomes of it is heard, where a rule asks
SEND_BEFORE = 86_400_000  # after this long a delivery is pointless, where the activity does not say


def reserve(instant: Instant, activity: CompiledActivity, case: Case) -> None:
    """The attempt just made takes its slot in the frequency caps; the first one counts for `once`."""
    if case.attempt == 1:
        count_for_once(instant, activity, case)
    toward = activity.spec.limits.counts_toward
    if toward:
        slot = slot_of(case.activity, case.occurrence)
        instant.state.reservations.append(Reservation(instant.now, slot, case.channel, toward, case.activity))


def count_for_once(instant: Instant, activity: CompiledActivity, case: Case) -> None:
    """Remembered only where `once` asks for it, so that a user of whom nothing is kept has no state."""
    if activity.spec.limits.once != "occurrence":
        once, key = instant.state.once, once_key(activity, case)
        if key not in once:
            instant.state.gained += len(key)
        case.count_after(once.get(key))
        once[key] = case.sent_at


def keep(instant: Instant, activity: CompiledActivity, case: Case) -> None:
    """Keep a decided case as long as a goal, a receipt, a fallback or a late event may concern it."""
    surroundings, until = instant.surroundings, 0
    if activity.goal is not None and not activity.is_watch:
        until = case.decided_at + activity.goal.within
    if activity.matcher.has_final_absence:
        until = max(until, case.decided_at + surroundings.settings.regret_for)
    if case.attempt and (case.fallback_at or instant.awaits_receipt(case, case.sent_at)):
        listened = LISTENED if case.told else 0
        until = max(until, case.decided_at + max(2 * SEND_BEFORE + activity.patience, listened))
    case.keep(until)
    if case.keep_until > case.decided_at:
        add(instant.state, case)
    else:
        remove(instant.state, case)


def forget(instant: Instant, case: Case) -> None:
    remove(instant.state, case)


def close(instant: Instant, activity: CompiledActivity | None, case: Case) -> list[Result]:
    """Nothing more is tried for this case; it stays only where something was sent that a goal may follow."""
    case.close()
    over: list[Result] = [*event_of_step(instant, case, OVER)] if not case.reached else []
    if case.attempt == 0 and not case.control:
        forget(instant, case)
    elif not case.reached and case.receipt in ("failed", "recalled", "released"):
        return [*_release(instant, activity, case), *over]
    return over


def free_slots(instant: Instant, case: Case) -> None:
    """Give back the slots in caps; those that wait for one may try again."""
    state = instant.state
    slot = slot_of(case.activity, case.occurrence)
    left = [r for r in state.reservations if r.occurrence != slot]
    if len(left) == len(state.reservations):
        return
    state.reservations = left
    on_trial = waiting(state.shadow) if state.shadow is not None else ()
    for other in (*waiting(state), *on_trial):
        if other is not case and other.held_for.startswith("cap:"):
            other.ask_by(instant.now)


def take_back(instant: Instant, case: Case) -> list[Result]:
    """Undo a send that the budget refused: it used up nothing."""
    _uncount_for_once(instant, case)
    free_slots(instant, case)
    forget(instant, case)
    return [*event_of_step(instant, case, OVER)]


def _release(instant: Instant, activity: CompiledActivity | None, case: Case) -> list[Result]:
    """Give back, once, what a send that reached nobody had reserved."""
    if case.freed:
        return []
    case.free()
    free_slots(instant, case)
    _uncount_for_once(instant, case)
    codes = returns_of(instant, activity, case) if activity is not None and activity.pools else []
    limits = activity.spec.limits if activity is not None else None
    shared = limits.shared if limits is not None and limits.shared is not None else ""
    if limits is None or (limits.budget is None and not shared and not codes):
        return []
    units = case.spent if shared else 1
    return [Refund(case.activity, instant.user_id, case.occurrence, instant.now, codes, units, shared)]


def _uncount_for_once(instant: Instant, case: Case) -> None:
    """This send reached nobody: `once` is as if it had never been, for those that were counted after it too."""
    activity = instant.program.compiled(case.activity, case.version)
    if activity is None:
        return
    once, key = instant.state.once, once_key(activity, case)
    if once.get(key) == case.sent_at:
        if case.once_was is None:
            del once[key]
        else:
            once[key] = case.once_was
    for other in naming(instant.state, (case.activity,)):
        mine = other.activity == case.activity and other.once_was == case.sent_at
        if mine and once_key(activity, other) == key:
            other.count_after(case.once_was)
