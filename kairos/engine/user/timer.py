"""When a user has to be looked at again: the one timer that whoever drives the engine keeps for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from kairos.engine.event import LOOK, RECEIPT, Event
from kairos.engine.expression.scope import Facts
from kairos.engine.rule.compile import Program
from kairos.engine.rule.handlers import Joining, earliest, in_both
from kairos.engine.user.cases import first_due, going
from kairos.engine.user.ends import first_end, next_decided
from kairos.engine.user.heirs import heir_of
from kairos.engine.user.moment import part_keys
from kairos.engine.user.state import ActivityRuns, UserState

_ACT_AT_ONCE = frozenset({RECEIPT, LOOK})
ProgramAt = Callable[[int], Program | None]
"""Event time (ms) -> the release that holds then; None: nothing is on trial then."""


def next_timer(user_id: str, state: UserState, program_at: Callable[[int], Program], on_trial: bool) -> int | None:
    """The earliest time at which base and tail could have an effect; None: only another event can.

    `on_trial`: whether any release has something on trial. Most events begin nothing, or could complete what was never
    begun: they are not worth a timer.
    """
    if state.waits_until:
        return state.waits_until
    tail, shadow = state.tail, state.shadow
    timer = _timer(user_id, state, state, tail, program_at)
    if state.later:  # looked at when it is their turn
        timer = earliest(timer, state.later[0].first)
    if shadow is None and not (on_trial and tail and program_at(tail[-1].time).shadow):
        return timer
    return earliest(timer, _timer(user_id, state, shadow or UserState(), tail, lambda time: program_at(time).shadow))


def _timer(user_id: str, base: UserState, state: UserState, tail: Sequence[Event], program_at: ProgramAt) -> int | None:
    """`base`, `tail`: of the user, whose state this is or the state of whose shadow."""
    due, sweep_at = state.due, state.sweep_at
    first = due if due and (not sweep_at or due < sweep_at) else sweep_at
    begun, before, of_before = False, None, None
    for event in tail:
        if first and event.time >= first:
            break
        program = program_at(event.time)
        begun = begun or (before is not None and _may_begin(before, of_before))
        after = _decides_after(user_id, base if before is None else None, state, event, program, begun)
        if after is not None and (not first or event.time + after < first):
            first = event.time + after
        before, of_before = event, program
    return first or None


def note_due(program: Program, state: UserState, now: int) -> None:
    """Ends an instant: notes in `due` what it has made due. What it has made due later is found out once `due` comes.

    Runs have noted their deadlines already, so they are not asked.
    """
    if 0 < state.due <= now:
        refresh_due(program, state)
    elif state.cases or state.packed_cases or state.crowds_until:
        _note_all_but_runs(state)


def refresh_due(program: Program, state: UserState) -> None:
    """Asks everything when it is due: that may be later than was noted, after a run or a hold has ended.

    Runs answer to the release that their user was last touched under; a newer one takes them on when it is.
    """
    state.due = 0
    for key, runs_of in state.runs.items():
        activity = heir_of(program, key, runs_of)
        if activity is not None:
            state.wake_by(next_decided(runs_of, activity.matcher))
    _note_all_but_runs(state)


def _note_all_but_runs(state: UserState) -> None:
    state.wake_by(first_due(state))
    for runs_in in state.journeys.values():
        for run in runs_in.values():
            state.wake_by(run.until)
    state.wake_by(state.crowds_until)


def _decides_after(
    user_id: str, base: UserState | None, state: UserState, event: Event, program: Program | None, begun: bool
) -> int | None:
    """How long after this event of the tail, at the earliest, something is decided because of it; None: nothing.

    `begun`: a match may have begun with an event before it in the tail. `base`: what the event meets; None: nobody
    knows yet, for another event of the tail comes before it.
    """
    if event.type in _ACT_AT_ONCE:
        return 0
    handlers = program.by_type.get(event.type) if program is not None else None
    if program is None or handlers is None:
        return None
    if handlers.crowds or (state.journeys and handlers.journeys):
        return 0
    has_cases = state.cases or state.packed_cases
    if has_cases and ((handlers.goals and not event.merged) or _may_stop_something(program, state, event)):
        return 0
    if event.merged:
        return None
    after = handlers.ever_after if begun else None
    if state.runs and not begun:
        for key in in_both(handlers.with_runs, state.runs) if handlers.with_runs else ():
            after = earliest(after, handlers.with_runs[key])
        for key in in_both(handlers.joining, state.runs) if handlers.joining else ():
            after = earliest(after, _after_joining(handlers.joining[key], state.runs[key], event))
    if handlers.alone:
        scope = Facts(event.props, event, now=event.time)
        if base is not None and handlers.reads_past:
            scope.prior = partial(_metric, user_id, base, program, event.time)
        for opener in handlers.may_decide(event.props):
            begins = opener.begins if base is not None or not opener.reads_past else None
            if after != 0 and (begins is None or begins(scope)):
                after = earliest(after, opener.alone_after)
    return after


def _metric(user_id: str, base: UserState, program: Program, now: int, name: str) -> Any:
    """Of one without `per`."""
    metric = program.metrics.get(name)
    if metric is None:
        return None
    return metric.value(base.metrics.get(metric.key) or program.seed(metric.key, user_id), now)


def _after_joining(joining: Joining, runs_of: ActivityRuns, event: Event) -> int:
    """As `_decides_after`, of an event that may join these runs."""
    activity, after = joining.activity, joining.after
    if runs_of.origin != activity.origin:
        return 0
    for part in part_keys(event, activity.spec.pattern.per):
        runs = runs_of.parts.get(part)
        end = first_end(activity.matcher, runs) if runs is not None else None
        if end is not None:
            after = min(after, max(0, end - event.time))
    return after


def _may_stop_something(program: Program, state: UserState, event: Event) -> bool:
    """Whether the event might stop what waits, or what is on its way: that cannot wait for another timer."""
    if first_due(state):
        return True
    for case in going(state, program.by_type[event.type].absences):
        if case.unheard_of and not case.closed:
            owner = program.compiled(case.activity, case.version)
            if owner is not None and owner.matcher.has_final_absence and event.type in owner.matcher.types:
                return True
    return False


def _may_begin(event: Event, program: Program | None) -> bool:
    handlers = program.by_type.get(event.type) if program is not None else None
    if handlers is None or event.merged:
        return False
    scope = Facts(event.props, event)
    for opener in handlers.may_begin(event.props):
        if opener.begins is None or opener.reads_past or opener.begins(scope):
            return True
    return False
