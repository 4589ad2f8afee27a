"""From events to matches: every pattern that an event touches, each value of `per` apart; and deadlines."""

from __future__ import annotations

from kairos.engine.decision import occurrence_id
from kairos.engine.event import Event
from kairos.engine.pattern import Match, Runs
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.handlers import Handlers
from kairos.engine.size import size_of
from kairos.engine.user.case import Case
from kairos.engine.user.ends import note, over_by
from kairos.engine.user.heirs import activity_of, current_runs, hand_over, heir_of, runs_key
from kairos.engine.user.moment import Instant, Moment, at_deadline, part_keys
from kairos.engine.user.state import ActivityRuns


def match(moment: Moment, handlers: Handlers, event: Event, found: list[Case]) -> None:
    """Let the event act on patterns; completed matches are added to `found`."""
    runs, observed = moment.instant.state.runs, moment.instant.surroundings.observer is not None
    if not runs and not observed:
        for opener in handlers.may_begin(event.props):
            if opener.begins is None or opener.begins(moment):
                _begin(moment, opener.activity, event, found)
        return
    for touched in handlers.touched if observed else handlers.touched_by(event.props, runs):
        activity, first = touched.activity, touched.opener
        meets = observed or touched.key in runs or (touched.draining and activity.name in runs)
        if meets and not activity.matcher.stateless:
            _advance(moment, activity, event, found)
        elif first is not None and (first.begins is None or observed or first.begins(moment)):
            _begin(moment, activity, event, found)


def apply_deadlines(instant: Instant, found: list[Case]) -> None:
    """Decide every absence (`notFollowedBy`) whose deadline has come, and drop runs whose time is over."""
    state, moment = instant.state, at_deadline(instant)
    for name in [key for key in state.runs if "@" not in key]:
        hand_over(instant, name, state.runs[name])
    for key, runs_of in list(state.runs.items()):
        activity = activity_of(instant.program, key)
        if activity is None:
            del state.runs[key]
            continue
        for part in over_by(runs_of, activity.matcher, instant.now):
            after, matches = activity.matcher.on_time(runs_of.parts[part], instant.now)
            found += [_case_of(moment.of_part(activity, part), activity, done) for done in matches]
            _put(runs_of, part, after)
        if not runs_of.parts:
            del state.runs[key]


def refute(moment: Moment, handlers: Handlers, event: Event) -> None:
    """Ends the runs whose absence (`notFollowedBy`) this event breaks. The event is late or merged, so it joins no
    pattern."""
    instant = moment.instant
    runs = instant.state.runs
    for key in handlers.concerned(runs):
        activity = heir_of(instant.program, key, runs[key])
        if activity is None or event.type not in activity.matcher.types:
            continue
        parts = runs[key].parts
        for part in part_keys(event, activity.spec.pattern.per):
            if part in parts:
                after, _ = activity.matcher.on_late(parts[part], event, moment.of_part(activity, part))
                _put(runs[key], part, after)
        if not parts:
            del runs[key]


def _begin(moment: Moment, activity: CompiledActivity, event: Event, found: list[Case]) -> None:
    """There are no runs that the event could meet: it begins a match or is nothing to this activity. The usual case."""
    instant, matcher = moment.instant, activity.matcher
    observer = instant.surroundings.observer
    begun: ActivityRuns | None = None
    for part in part_keys(event, activity.spec.pattern.per):
        if begun is not None and _is_full(instant, activity, begun):
            continue
        at = moment if not part and activity.zone is None else moment.of_part(activity, part)
        runs, matches = matcher.on_event(None, event, at)
        if observer is not None:
            observer.event(activity, at, None, runs, matches)
        if matches:
            found += [_case_of(at, activity, done) for done in matches]
        if runs is not None:
            begun = begun or ActivityRuns(activity.origin, {})
            _keep_runs(instant, activity, begun, part, None, runs)
    if begun is not None:
        instant.state.runs[activity.name] = begun


def _advance(moment: Moment, activity: CompiledActivity, event: Event, found: list[Case]) -> None:
    instant, matcher = moment.instant, activity.matcher
    state, observer = instant.state, instant.surroundings.observer
    key = runs_key(instant.program, activity)
    draining = key != activity.name
    runs_of = current_runs(instant, key, activity)
    if draining and runs_of is None:
        return
    for part in part_keys(event, activity.spec.pattern.per):
        before = runs_of.parts.get(part) if runs_of is not None else None
        if before is None and (draining or _is_full(instant, activity, runs_of)):
            continue
        at = moment if not part and activity.zone is None else moment.of_part(activity, part)
        after, matches = matcher.on_event(before, event, at, start=not draining)
        if observer is not None:
            observer.event(activity, at, before, after, matches)
        found += [_case_of(at, activity, done) for done in matches]
        if after is None:
            if before is not None and runs_of is not None:
                del runs_of.parts[part]
        else:
            if runs_of is None:
                runs_of = state.runs[key] = ActivityRuns(activity.origin, {})
            _keep_runs(instant, activity, runs_of, part, before, after)
    if runs_of is not None and not runs_of.parts:
        state.runs.pop(key, None)


def _keep_runs(
    instant: Instant, activity: CompiledActivity, runs_of: ActivityRuns, part: str, before: Runs | None, after: Runs
) -> None:
    state = instant.state
    _put(runs_of, part, after)
    if before is None or after.following != before.following:
        state.gained += size_of(after.events[after.following - 1]) + len(part)
    state.wake_by(activity.matcher.next_deadline(after))
    dropped = after.dropped - (before.dropped if before is not None else 0)
    if dropped > 0:
        instant.surroundings.drop(activity.name, dropped)


def _put(runs_of: ActivityRuns, part: str, runs: Runs | None) -> None:
    """None: nothing is open any more."""
    if runs is None:
        del runs_of.parts[part]
    else:
        runs_of.parts[part] = runs
        note(runs_of, part)


def _is_full(instant: Instant, activity: CompiledActivity, runs_of: ActivityRuns | None) -> bool:
    """Whether the user has too many values of `per` with open runs; then no new one is begun, and that is counted."""
    if runs_of is None or len(runs_of.parts) < instant.program.max_runs:
        return False
    instant.surroundings.drop(activity.name, 1)
    return True


def _case_of(moment: Moment, activity: CompiledActivity, done: Match) -> Case:
    part, state, prior_metrics = moment.part, moment.instant.state, moment.instant.program.prior_metrics
    steps = {name: list(events) for name, events in done.steps.items()}
    ids = {name: [event.id for event in events] for name, events in steps.items()}
    if part:
        ids["/per"] = [part]
    state.gained += size_of(steps) + len(part)
    priors = {name: moment.prior(name) for name in prior_metrics}
    return Case(activity.name, activity.version, occurrence_id(activity.name, ids), part, done.at, steps, priors=priors)
