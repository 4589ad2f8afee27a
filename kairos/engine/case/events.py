"""What events do to cases that were decided before: goals are met, absences (`notFollowedBy`) are broken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from kairos.engine.case.life import happen
from kairos.engine.case.own_events import events_of_goal
from kairos.engine.case.record import record_of
from kairos.engine.case.table import Input
from kairos.engine.decision import Record
from kairos.engine.effect import Result
from kairos.engine.event import Event
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.handlers import Handlers
from kairos.engine.user.case import Case
from kairos.engine.user.cases import going, going_or_last, naming
from kairos.engine.user.moment import Moment, at_case, part_keys


def in_time(moment: Moment, handlers: Handlers, event: Event) -> list[Result]:
    """Goals are met, and what has not gone yet is stopped by a goal or by the event that its final absence is about."""
    effects: list[Result] = []
    for activity in handlers.goals:
        effects += _meet_goal(moment, activity, event)
    return effects + stop_waiting(moment, event)


def stop_waiting(moment: Moment, event: Event) -> list[Result]:
    """Stops what has not gone yet and should not, now that the event that its final absence is about has happened."""
    effects: list[Result] = []
    cases = going(moment.instant.state, _absences(moment, event))
    waiting = [case for case in cases if case.matched_at < event.time and case.may_still_go]
    for case, activity in _broken(moment, event, waiting):
        effects += happen(Input.ABSENCE, moment.instant, activity, case, "absence")
    return effects


def late(moment: Moment, event: Event) -> list[Result]:
    """An event from before what was already applied stops what waits, and undoes what was decided without it."""
    instant = moment.instant
    effects: list[Result] = []
    cases = naming(instant.state, _absences(moment, event))
    for case, activity in _broken(moment, event, [case for case in cases if event.time >= _last_taken(case)]):
        if event.time >= case.matched_at:
            effects += happen(Input.ABSENCE_LATE, instant, activity, case, "absence")
        elif case.held_until or _is_fresh(moment, case):
            effects += happen(Input.MISTAKE, instant, activity, case, "absence")
    return effects


def _is_fresh(moment: Moment, case: Case) -> bool:
    """Whether a late event may still be held against the decision; it is once at most."""
    return not case.undone and moment.now < case.decided_at + moment.instant.surroundings.settings.regret_for


def _absences(moment: Moment, event: Event) -> Collection[str]:
    """The activities whose final absence may forbid such an event."""
    handlers = moment.instant.program.by_type.get(event.type)
    return handlers.absences if handlers is not None else ()


def _broken(moment: Moment, event: Event, cases: Iterable[Case]) -> Iterator[tuple[Case, CompiledActivity]]:
    """Those of the cases whose final absence forbids this event, and their activities."""
    for case in cases:
        activity = moment.instant.program.compiled(case.activity, case.version)
        if activity is None or not activity.matcher.has_final_absence or not _of_part(activity, case, event):
            continue
        if activity.matcher.cancels(case.steps, event, moment.of_part(activity, case.part)):
            yield case, activity


def _of_part(activity: CompiledActivity, case: Case, event: Event) -> bool:
    return case.part in part_keys(event, activity.spec.pattern.per)


def _last_taken(case: Case) -> int:
    return max(event.time for events in case.steps.values() for event in events)


def _may_have_reached(case: Case) -> bool:
    return case.control or (case.attempt > 0 and not case.reached_nobody)


def _concerned(moment: Moment, activity: CompiledActivity, event: Event) -> list[Case]:
    """At least the cases to which it makes a difference whether this event meets their goal."""
    state, name, goal, per = moment.instant.state, activity.name, activity.goal, activity.spec.pattern.per
    if goal is None:
        return []
    if per is not None:
        parts = part_keys(event, per)
        return naming(state, (name,), *parts) if parts else []
    if goal.reads_steps:
        return naming(state, (name,))
    if goal.where is not None and not goal.where(moment.of_part(activity, "")):
        return []
    counts = lambda case: _may_have_reached(case) and _meets(moment, activity, case, event)  # noqa: E731
    return going_or_last(state, name, counts, event.time - goal.within)


def _meets(moment: Moment, activity: CompiledActivity, case: Case, event: Event) -> bool:
    goal = activity.goal
    if goal is None or moment.instant.program.compiled(case.activity, case.version) is not activity:
        return False
    if not case.decided_at < event.time < case.decided_at + goal.within:
        return False
    if not _of_part(activity, case, event):
        return False
    return goal.where is None or goal.where(moment.of_part(activity, case.part, case.steps))


def _meet_goal(moment: Moment, activity: CompiledActivity, event: Event) -> list[Result]:
    """The goal counts for the latest send that may have reached her (or control) before it, once each; it stops what
    has not gone yet."""
    instant = moment.instant
    effects: list[Result] = []
    cases = [case for case in _concerned(moment, activity, event) if _meets(moment, activity, case, event)]
    decided = [case for case in cases if _may_have_reached(case)]
    if decided:
        latest = max(decided, key=lambda case: (case.sent_at, case.occurrence))
        if not latest.goal_met:
            latest.meet_goal()
            record = _goal_record(moment, activity, latest)
            effects += [record, *events_of_goal(instant, latest, record)]
    for case in cases:
        effects += happen(Input.GOAL, instant, activity, case, "goal")
    return effects


def _goal_record(moment: Moment, activity: CompiledActivity, case: Case) -> Record:
    """The goal's value is of the event, its data of the case."""
    goal = activity.goal
    value = None
    if goal is not None and goal.value is not None:
        value = goal.value(moment.of_part(activity, case.part, case.steps))
    record = record_of(at_case(moment.instant, activity, case), activity, case, "goal")
    record.value = value
    record.channel = case.channel or None
    return record
