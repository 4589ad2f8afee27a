"""From events to matches: metrics first, then every pattern that the event touches, each `per` value apart."""

from __future__ import annotations

from kairos.engine.decision import occurrence_id
from kairos.engine.event import Event
from kairos.engine.metric.window import Cells, WindowedMetric
from kairos.engine.moment import Moment, part_keys
from kairos.engine.pattern import Match, Runs
from kairos.engine.rule.compile import Plan
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.handlers import Handlers, draining_key
from kairos.engine.user_state import ActivityRuns, Case, shape_of


def count(moment: Moment, handlers: Handlers, event: Event) -> None:
    """Let the event act on metrics: whatever is asked about it afterwards includes it."""
    moment.before = {}
    if handlers.metrics:
        moment.at_event(event)
        for metric in handlers.metrics:
            update_metric(moment, metric, event)


def match(moment: Moment, handlers: Handlers, event: Event, found: list[Case]) -> None:
    """Let the event act on patterns; completed matches are added to `found`."""
    moment.at_event(event)
    runs, observed = moment.state.runs, moment.observer is not None
    if not runs and not observed:
        for opener in handlers.openers:
            if opener.begins is None or opener.begins(moment.scope):
                _begin(moment, opener.activity, event, found)
        return
    for touched in handlers.touched:
        activity, first = touched.activity, touched.opener
        meets = activity.name in runs or touched.key in runs or observed
        if meets and not activity.matcher.stateless:
            _advance(moment, activity, event, found)
        elif first is not None and (first.begins is None or observed or first.begins(moment.scope)):
            _begin(moment, activity, event, found)


def update_metric(moment: Moment, metric: WindowedMetric, event: Event) -> None:
    """Add the event to the metric, remembering the value from before it where some rule reads `prior`."""
    where = moment.plan.metric_wheres.get(metric.name)
    if where is not None and not where(moment.scope):
        return
    metrics = moment.state.metrics
    if metric.per is None:
        cells = metrics.get(metric.key) or moment.plan.seed(metric.key, moment.user_id)
        _remember(moment, metric, "", cells, event)
        metric.add(cells, event)
        if cells:
            metrics[metric.key] = cells
        return
    parts = metrics.get(metric.key) or moment.plan.seed(metric.key, moment.user_id)
    for part in part_keys(event, metric.per):
        cells = parts.get(part, {})
        _remember(moment, metric, part, cells, event)
        metric.add(cells, event)
        if cells:
            parts[part] = cells
    if parts:
        metrics[metric.key] = parts


def _remember(moment: Moment, metric: WindowedMetric, part: str, cells: Cells, event: Event) -> None:
    if metric.name in moment.plan.prior_metrics:
        moment.before.setdefault(metric.name, {})[part] = metric.value(cells, event.time)


def _begin(moment: Moment, activity: CompiledActivity, event: Event, found: list[Case]) -> None:
    """There are no runs that the event could meet: it begins a match or is nothing to this activity. The usual case."""
    matcher = activity.matcher
    begun: ActivityRuns | None = None
    for part in part_keys(event, activity.spec.pattern.per):
        if begun is not None and _is_full(moment, begun):
            continue
        moment.at_part(activity, part)
        runs, matches = matcher.on_event(None, event, moment.scope)
        if moment.observer is not None:
            moment.observer.event(activity, part, event, None, runs, matches, moment.scope)
        if matches:
            found += [case_of(moment, activity, part, done) for done in matches]
        if runs is not None:
            begun = begun or ActivityRuns(activity.origin, {})
            _keep_runs(moment, activity, begun, part, None, runs)
    if begun is not None:
        moment.state.runs[activity.name] = begun


def _advance(moment: Moment, activity: CompiledActivity, event: Event, found: list[Case]) -> None:
    state, matcher = moment.state, activity.matcher
    key = runs_key(moment.plan, activity)
    draining = key != activity.name
    runs_of = current_runs(moment, key, activity)
    if draining and runs_of is None:
        return
    for part in part_keys(event, activity.spec.pattern.per):
        moment.at_part(activity, part)
        before = runs_of.parts.get(part) if runs_of is not None else None
        if before is None and (draining or _is_full(moment, runs_of)):
            continue
        after, matches = matcher.on_event(before, event, moment.scope, start=not draining)
        if moment.observer is not None:
            moment.observer.event(activity, part, event, before, after, matches, moment.scope)
        found += [case_of(moment, activity, part, done) for done in matches]
        if after is None:
            if before is not None and runs_of is not None:
                del runs_of.parts[part]
        else:
            if runs_of is None:
                runs_of = state.runs[key] = ActivityRuns(activity.origin, {})
            _keep_runs(moment, activity, runs_of, part, before, after)
    if runs_of is not None and not runs_of.parts:
        state.runs.pop(key, None)


def _keep_runs(
    moment: Moment, activity: CompiledActivity, runs_of: ActivityRuns, part: str, before: Runs | None, after: Runs
) -> None:
    runs_of.parts[part] = after
    state, deadline = moment.state, activity.matcher.next_deadline(after)
    if deadline is not None and (not state.due or deadline < state.due):
        state.due = deadline
    dropped = after.dropped - (before.dropped if before is not None else 0)
    if dropped > 0:
        moment.counters["runs_dropped"] += dropped


def _is_full(moment: Moment, runs_of: ActivityRuns | None) -> bool:
    """One user cannot open runs for ever more values of `per`: what is beyond the limit is not begun, and counted."""
    if runs_of is None or len(runs_of.parts) < moment.plan.max_runs:
        return False
    moment.counters["runs_dropped"] += 1
    return True


def apply_deadlines(moment: Moment, now: int, found: list[Case]) -> None:
    """Decide every absence whose deadline has come, and drop runs whose time is over."""
    moment.at_deadline()
    state = moment.state
    for name in [key for key in state.runs if "@" not in key]:
        _hand_over(moment, name, state.runs[name])
    for key, runs_of in list(state.runs.items()):
        activity = activity_of(moment.plan, key)
        if activity is None:
            del state.runs[key]
            continue
        for part, runs in list(runs_of.parts.items()):
            moment.at_part(activity, part)
            after, matches = activity.matcher.on_time(runs, now)
            found += [case_of(moment, activity, part, done) for done in matches]
            if after is None:
                del runs_of.parts[part]
            else:
                runs_of.parts[part] = after
        if not runs_of.parts:
            del state.runs[key]


def case_of(moment: Moment, activity: CompiledActivity, part: str, done: Match) -> Case:
    steps = {name: list(events) for name, events in done.steps.items()}
    ids = {name: [event.id for event in events] for name, events in steps.items()}
    if part:
        ids["/per"] = [part]
    case = Case(activity.name, activity.version, occurrence_id(activity.name, ids), part, done.at, steps)
    if moment.plan.prior_metrics:
        case.priors = {name: moment.prior(name) for name in moment.plan.prior_metrics}
    return case


def runs_key(plan: Plan, activity: CompiledActivity) -> str:
    """Where the runs of an activity are kept: a draining definition has a place of its own beside the new one."""
    return draining_key(activity) if plan.draining.get(activity.version) is activity else activity.name


def activity_of(plan: Plan, key: str) -> CompiledActivity | None:
    name, _, version = key.partition("@")
    return plan.draining.get(version) if version else plan.activities.get(name)


def heir_of(plan: Plan, key: str, runs_of: ActivityRuns) -> CompiledActivity | None:
    """The definition that takes these runs on at their user's next touch; None: they are dropped.

    Runs of an older version go to that version where it drains, else to the new one, unless that restarts or has
    another shape.
    """
    activity = activity_of(plan, key)
    if activity is None or activity.origin == runs_of.origin or activity.version == runs_of.version:
        return activity
    if runs_of.version in plan.draining:
        return plan.draining[runs_of.version]
    kept = activity.spec.on_change != "restart" and runs_of.shape == shape_of(activity.origin)
    return activity if kept else None


def current_runs(moment: Moment, key: str, activity: CompiledActivity) -> ActivityRuns | None:
    """The runs under `key`, after what `on_change` says has been done to those of an older version."""
    runs = moment.state.runs
    latest = runs.get(activity.name)
    if latest is not None and (latest.origin != activity.origin or key != activity.name):
        _hand_over(moment, activity.name, latest)
    return runs.get(key)


def _hand_over(moment: Moment, name: str, runs_of: ActivityRuns) -> None:
    """Move, adopt or drop the runs under an activity's name, if it is not the current version that made them."""
    heir = heir_of(moment.plan, name, runs_of)
    if heir is None:
        del moment.state.runs[name]
        moment.counters["runs_restarted"] += 1
    elif (key := runs_key(moment.plan, heir)) != name:
        moment.state.runs[key] = moment.state.runs.pop(name)
    else:
        runs_of.origin = heir.origin
