"""What events do to cases already decided or held: goals are met, absences undone, and some come too late."""

from __future__ import annotations

from kairos.engine.deciding import record_of
from kairos.engine.effect import Late
from kairos.engine.event import Event
from kairos.engine.matching import count, heir_of
from kairos.engine.moment import Moment, part_keys
from kairos.engine.recall import give_up, undo
from kairos.engine.rule.compile import Plan
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.handlers import Handlers
from kairos.engine.user_state import Case, UserState


def apply_to_cases(moment: Moment, handlers: Handlers, event: Event) -> None:
    """Goals are met, and what has not gone yet is undone by a goal or by the event that its final absence is about."""
    for activity in handlers.goals:
        _meet_goal(moment, activity, event)
    _undo_waiting(moment, event)


def apply_merged(moment: Moment, event: Event) -> None:
    """It is in the metrics already. Whose it was nobody knew when it happened: so it begins, completes and fulfils
    nothing, but what must not have happened has."""
    moment.counters["merged"] += 1
    for key in list(moment.state.runs):
        _cancel_late(moment, key, event)
    _undo_waiting(moment, event)


def _undo_waiting(moment: Moment, event: Event) -> None:
    for case in [c for c in moment.state.cases if c.matched_at < event.time and _may_still_go(c)]:
        owner = moment.plan.compiled(case.activity, case.version)
        if owner is not None and _undoes(moment, owner, case, event):
            give_up(moment, case, event.time)


def wants_to_know(plan: Plan, state: UserState, event: Event) -> bool:
    """Whether the event might stop something that waits, or that is on its way: that cannot wait for another timer."""
    for case in state.cases:
        if case.held_for or case.fallback_at:
            return True
        if case.under_way and not case.closed:
            owner = plan.compiled(case.activity, case.version)
            if owner is not None and owner.matcher.has_final_absence and event.type in owner.matcher.types:
                return True
    return False


def _may_still_go(case: Case) -> bool:
    return not case.closed and bool(case.held_for or case.attempt)


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
            give_up(moment, case, event.time)


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
    """An event from before what was already applied: it updates metrics and undoes absences, but joins no pattern.

    One that was merged could not have come in time, so nobody is told that it did not.
    """
    state, now = moment.state, moment.state.applied_until
    if event.merged:
        moment.counters["merged"] += 1
    else:
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
            give_up(moment, case, now)
        elif event.time < case.matched_at and not case.undone and now < case.decided_at + moment.regret_for:
            undo(moment, activity, case, now)


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
