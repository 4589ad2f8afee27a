"""What comes after a decision: receipts and fallbacks, goals, and events that were too late."""

from __future__ import annotations

from kairos.engine.deciding import cancel, record_of
from kairos.engine.effect import Late, Recall
from kairos.engine.event import Event
from kairos.engine.lifecycle import ask_again, end_attempts, next_entry, release, take_back
from kairos.engine.matching import count, heir_of
from kairos.engine.moment import Moment, part_keys
from kairos.engine.rule.compile import CompiledActivity, CompiledSend, Handlers
from kairos.engine.user_state import Case

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
    elif status in RANK:
        _reached(moment, case, next_entry(activity, case, moment.user_id), status, receipt.time)
    elif status in NOT_SENT:
        _failed(moment, activity, case, receipt.time)
    elif status == "released" and receipt.props.get("reason") == "quiet_hours":
        ask_again(moment, case)
    elif status == "released":
        take_back(moment, case)
    elif status == "recalled" and not case.reached:
        release(moment, case)


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
    first = case.receipt in ("", "unknown")
    if RANK[status] >= RANK.get(case.receipt, 0):
        case.receipt = status
    if case.closed or following is None or following.spec.after is None:
        return
    if RANK.get(case.receipt, 0) >= RANK[following.spec.unless]:
        case.fallback_at = 0
        if case.held_for:
            _cancel(moment, case, max(moment.state.applied_until, at))
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


def apply_to_cases(moment: Moment, handlers: Handlers, event: Event) -> None:
    """Goals are met, and what has not gone yet is undone by a goal or by the event that its final absence is about."""
    for activity in handlers.goals:
        _meet_goal(moment, activity, event)
    for case in [c for c in moment.state.cases if c.matched_at < event.time and _may_still_go(c)]:
        owner = moment.plan.compiled(case.activity, case.version)
        if owner is not None and _undoes(moment, owner, case, event):
            _cancel(moment, case, event.time)


def _may_still_go(case: Case) -> bool:
    return not case.closed and bool(case.held_for or case.attempt)


def _cancel(moment: Moment, case: Case, now: int) -> None:
    record = cancel(moment, case, now)
    if record is not None:
        moment.effects.append(record)


def _undoes(moment: Moment, activity: CompiledActivity, case: Case, event: Event) -> bool:
    """The final absence of a case that has not gone yet stays armed."""
    matcher = activity.matcher
    if not matcher.has_final_absence or not _of_part(activity, case, event):
        return False
    moment.at_event(event)
    moment.at_part(activity, case.part)
    return matcher.cancels(case.steps, event, moment.scope)


def _of_part(activity: CompiledActivity, case: Case, event: Event) -> bool:
    return case.part in part_keys(event, activity.spec.pattern.per)


def _meets(moment: Moment, activity: CompiledActivity, case: Case, event: Event) -> bool:
    goal = activity.goal
    if goal is None or not case.decided_at < event.time < case.decided_at + goal.within:
        return False
    if not _of_part(activity, case, event):
        return False
    moment.at_event(event)
    moment.at_part(activity, case.part)
    moment.scope.steps = case.steps
    return goal.where is None or goal.where(moment.scope)


def _meet_goal(moment: Moment, activity: CompiledActivity, event: Event) -> None:
    """The goal counts for the latest send (or control) before it, once each; it cancels what has not gone yet."""
    mine = [c for c in moment.state.cases if moment.plan.compiled(c.activity, c.version) is activity]
    if not mine:
        return
    moment.know_profile()
    cases = [c for c in mine if _meets(moment, activity, c, event)]
    decided = [c for c in cases if c.attempt or c.control]
    if decided:
        latest = max(decided, key=lambda c: (c.sent_at, c.occurrence))
        if not latest.goal_met:
            latest.goal_met = True
            _record_goal(moment, activity, latest, event)
    for case in cases:
        if _may_still_go(case):
            _cancel(moment, case, event.time)


def _record_goal(moment: Moment, activity: CompiledActivity, case: Case, event: Event) -> None:
    goal = activity.goal
    moment.at_event(event)
    moment.at_part(activity, case.part)
    moment.scope.steps = case.steps
    value = goal.value(moment.scope) if goal is not None and goal.value is not None else None
    moment.at_case(case, activity)
    record = record_of(moment, activity, case, "goal", event.time)
    record.value = value
    record.channel = case.channel or None
    moment.effects.append(record)


def apply_late(moment: Moment, event: Event) -> None:
    """An event from before what was already applied: it updates metrics and undoes absences, but joins no pattern."""
    state, now = moment.state, moment.state.applied_until
    moment.counters["late"] += 1
    moment.effects.append(Late(event, now))
    handlers = moment.plan.by_type.get(event.type)
    if handlers is None:
        return
    count(moment, handlers, event)
    for key in list(state.runs):
        _cancel_late(moment, key, event)
    for case in list(state.cases):
        activity = moment.plan.compiled(case.activity, case.version)
        if activity is None or event.time < _last_taken(case) or not _undoes(moment, activity, case, event):
            continue
        if case.held_for or (case.matched_at <= event.time and _may_still_go(case)):
            _cancel(moment, case, now)
        elif event.time < case.matched_at and not case.undone and now < case.decided_at + moment.regret_for:
            _regret(moment, activity, case, now)


def _last_taken(case: Case) -> int:
    return max(event.time for events in case.steps.values() for event in events)


def _cancel_late(moment: Moment, key: str, event: Event) -> None:
    runs_of = moment.state.runs[key]
    activity = heir_of(moment.plan, key, runs_of)
    if activity is None or event.type not in activity.matcher.types:
        return
    moment.at_event(event)
    for part in part_keys(event, activity.spec.pattern.per):
        if part in runs_of.parts:
            moment.at_part(activity, part)
            after, _ = activity.matcher.on_late(runs_of.parts[part], event, moment.scope)
            if after is None:
                del runs_of.parts[part]
            else:
                runs_of.parts[part] = after
    if not runs_of.parts:
        del moment.state.runs[key]


def _regret(moment: Moment, activity: CompiledActivity, case: Case, now: int) -> None:
    """It is decided and gone: a recall goes after it, and the regret is recorded, once."""
    case.undone = True
    moment.at_case(case, activity)
    record = record_of(moment, activity, case, "regret", now)
    record.channel = case.channel or None
    moment.effects.append(record)
    if case.attempt:
        moment.effects.append(Recall(case.activity, moment.user_id, case.occurrence, case.attempt, case.channel, now))
    end_attempts(moment, case)
