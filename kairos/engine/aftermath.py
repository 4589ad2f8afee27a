"""What comes after a decision: receipts and fallbacks, goals, and events that were too late."""

from __future__ import annotations

from kairos.engine.deciding import cancel, end_attempts, next_entry, record_of, take_back
from kairos.engine.effect import Late, Recall
from kairos.engine.event import Event
from kairos.engine.matching import activity_of, current_runs, part_keys, update_metric
from kairos.engine.moment import Moment
from kairos.engine.rule.compile import CompiledActivity, CompiledSend
from kairos.engine.user_state import Case

# each later receipt implies the earlier ones
RANK = {"": 0, "failed": 0, "sent": 1, "unknown": 1, "delivered": 2, "read": 3, "clicked": 4}
ENDS = frozenset({"failed", "expired", "too_late", "released", "recalled"})


def apply_receipt(moment: Moment, event: Event, now: int) -> None:
    """A receipt acts on reservations and fallback, never on patterns. One that fits nothing is counted."""
    case = _case_of_receipt(moment, event)
    status = event.props.get("status")
    if case is None or not isinstance(status, str) or (status not in RANK and status not in ENDS):
        moment.counters["receipt_without_send"] += 1
        return
    activity = moment.plan.compiled(case.activity, case.version)
    if activity is None:
        return
    following = next_entry(activity, case, moment.user_id)
    if status == "released":
        take_back(moment, case)
    elif status in ENDS:
        case.receipt = "failed"
        if status == "failed" and following is not None:
            case.fallback_at = max(now, event.time)
        else:
            end_attempts(moment, case)
    else:
        _reached(case, following, status, max(now, event.time))


def _reached(case: Case, following: CompiledSend | None, status: str, at: int) -> None:
    case.reached = True
    if RANK[status] >= RANK[case.receipt] or status == "sent":
        case.receipt = status
    if following is not None and following.spec.after is not None:
        if RANK[case.receipt] >= RANK[following.spec.unless]:
            case.fallback_at = 0
        elif status in ("sent", "unknown"):
            case.fallback_at = at + following.spec.after


def _case_of_receipt(moment: Moment, event: Event) -> Case | None:
    """By occurrence where the receipt names one, else the user's latest send of that activity."""
    props = event.props
    fitting = [
        case
        for case in moment.state.cases
        if case.attempt and case.activity == props.get("activity")
        and props.get("occurrence") in (None, case.occurrence)
        and props.get("channel") in (None, case.channel)
        and props.get("attempt") in (None, case.attempt)
        and case.sent_at <= event.time
    ]  # fmt: skip
    return max(fitting, key=lambda case: case.sent_at) if fitting else None


def apply_to_cases(moment: Moment, event: Event) -> None:
    """Goals are met, and held cases are undone by a goal or by the event that their final absence was about."""
    handlers = moment.plan.by_type.get(event.type)
    if handlers is None:
        return
    for activity in handlers.goals:
        _meet_goal(moment, activity, event)
    for case in [c for c in moment.state.cases if c.held_for or c.fallback_at]:
        found = moment.plan.compiled(case.activity, case.version)
        if found is not None and case.matched_at < event.time and _undoes(moment, found, case, event):
            _emit_cancel(moment, case, event.time)


def _emit_cancel(moment: Moment, case: Case, now: int) -> None:
    record = cancel(moment, case, now)
    if record is not None:
        moment.effects.append(record)


def _undoes(moment: Moment, activity: CompiledActivity, case: Case, event: Event) -> bool:
    """The final absence of a case that has not gone yet stays armed."""
    matcher = activity.matcher
    if not matcher.has_final_absence or case.part not in part_keys(event, activity.spec.pattern.per):
        return False
    moment.at_event(event)
    moment.part = case.part
    moment.scope.steps = case.steps
    return matcher.cancels(case.steps, event, moment.scope)


def _meets(moment: Moment, activity: CompiledActivity, case: Case, event: Event) -> bool:
    goal = activity.goal
    if goal is None or case.decided_at >= event.time or event.time >= case.decided_at + goal.within:
        return False
    if case.part and case.part not in part_keys(event, activity.spec.pattern.per):
        return False
    moment.at_event(event)
    moment.part = case.part
    moment.scope.steps = case.steps
    return goal.where is None or goal.where(moment.scope)


def _meet_goal(moment: Moment, activity: CompiledActivity, event: Event) -> None:
    """The goal counts for the latest send (or control) before it, once each; it cancels what has not gone yet."""
    moment.know_profile()
    cases = [c for c in moment.state.cases if c.activity == activity.name and _meets(moment, activity, c, event)]
    decided = [c for c in cases if c.attempt or c.control]
    if decided:
        latest = max(decided, key=lambda c: (c.sent_at, c.occurrence))
        if not latest.goal_met:
            latest.goal_met = True
            _record_goal(moment, activity, latest, event)
    for case in cases:
        if case.held_for or case.fallback_at:
            _emit_cancel(moment, case, event.time)


def _record_goal(moment: Moment, activity: CompiledActivity, case: Case, event: Event) -> None:
    goal = activity.goal
    moment.at_event(event)
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
    moment.at_event(event)
    for metric in handlers.metrics:
        update_metric(moment, metric, event)
    for key in list(state.runs):
        _cancel_late(moment, key, event)
    for case in list(state.cases):
        activity = moment.plan.compiled(case.activity, case.version)
        if activity is not None and not case.control and _would_have_undone(moment, activity, case, event):
            _regret(moment, activity, case, now)


def _cancel_late(moment: Moment, key: str, event: Event) -> None:
    activity = activity_of(moment.plan, key)
    if activity is None or event.type not in activity.matcher.types:
        return
    runs_of = current_runs(moment, key, activity)
    if runs_of is None:
        return
    moment.at_event(event)
    for part in part_keys(event, activity.spec.pattern.per):
        if part in runs_of.parts:
            moment.part = part
            after, _ = activity.matcher.on_late(runs_of.parts[part], event, moment.scope)
            if after is None:
                del runs_of.parts[part]
            else:
                runs_of.parts[part] = after


def _would_have_undone(moment: Moment, activity: CompiledActivity, case: Case, event: Event) -> bool:
    last_taken = max(event.time for events in case.steps.values() for event in events)
    return last_taken <= event.time < case.matched_at and _undoes(moment, activity, case, event)


def _regret(moment: Moment, activity: CompiledActivity, case: Case, now: int) -> None:
    """Not gone yet: cancelled. Gone: a recall goes after it, and the regret is recorded, once."""
    if case.held_for:
        _emit_cancel(moment, case, now)
        return
    if not case.sent_at or case.keep_until < 0:
        return
    moment.at_case(case, activity)
    record = record_of(moment, activity, case, "regret", now)
    record.channel = case.channel or None
    moment.effects.append(record)
    if case.attempt:
        moment.effects.append(Recall(case.activity, moment.user_id, case.occurrence, case.attempt, case.channel, now))
    end_attempts(moment, case)
    moment.state.cases = [other for other in moment.state.cases if other is not case]
