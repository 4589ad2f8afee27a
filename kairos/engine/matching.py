"""From events to matches: metrics first, then every pattern that the event touches, each `per` value apart."""

from __future__ import annotations

from kairos.engine.decision import occurrence_id
from kairos.engine.event import Event
from kairos.engine.metric.window import WindowedMetric
from kairos.engine.moment import Moment, part_keys
from kairos.engine.pattern import Match
from kairos.engine.rule.compile import CompiledActivity, Plan
from kairos.engine.user_state import ActivityRuns, Case


def apply_event(moment: Moment, event: Event, found: list[Case]) -> None:
    """Let one event, in order, act on metrics and patterns; completed matches are added to `found`."""
    handlers = moment.plan.by_type.get(event.type)
    if handlers is None:
        return
    moment.at_event(event)
    for metric in handlers.metrics:
        update_metric(moment, metric, event)
    for activity in handlers.activities:
        if activity.matcher.stateless:
            _complete_at_once(moment, activity, event, found)
        else:
            _advance(moment, activity, event, found)


def update_metric(moment: Moment, metric: WindowedMetric, event: Event) -> None:
    """Add the event to the metric, remembering the value from before it where some rule reads `prior`."""
    where = moment.plan.metric_wheres.get(metric.name)
    if where is not None and not where(moment.scope):
        return
    metrics = moment.state.metrics
    if metric.per is None:
        cells = metrics.get(metric.key)
        if cells is None:
            cells = metrics[metric.key] = {}
        if metric.name in moment.plan.prior_metrics:
            moment.before[metric.name] = {"": metric.value(cells, event.time)}
        metric.add(cells, event)
        return
    parts = metrics.setdefault(metric.key, {})
    for part in part_keys(event, metric.per):
        cells = parts.setdefault(part, {})
        if metric.name in moment.plan.prior_metrics:
            moment.before.setdefault(metric.name, {})[part] = metric.value(cells, event.time)
        metric.add(cells, event)


def _complete_at_once(moment: Moment, activity: CompiledActivity, event: Event, found: list[Case]) -> None:
    for part in part_keys(event, activity.spec.pattern.per):
        moment.part = part
        _, matches = activity.matcher.on_event(None, event, moment.scope)
        if moment.observer is not None:
            moment.observer.event(activity, part, event, None, None, matches, moment.scope)
        for match in matches:
            found.append(case_of(activity, part, match))


def _advance(moment: Moment, activity: CompiledActivity, event: Event, found: list[Case]) -> None:
    state, matcher = moment.state, activity.matcher
    key = runs_key(moment.plan, activity)
    draining = key != activity.name
    runs_of = current_runs(moment, key, activity)
    if draining and runs_of is None:
        return
    for part in part_keys(event, activity.spec.pattern.per):
        moment.part = part
        before = runs_of.parts.get(part) if runs_of is not None else None
        if draining and before is None:
            continue
        after, matches = matcher.on_event(before, event, moment.scope)
        if moment.observer is not None:
            moment.observer.event(activity, part, event, before, after, matches, moment.scope)
        for match in matches:
            found.append(case_of(activity, part, match))
        if after is not None:
            if runs_of is None:
                runs_of = state.runs[key] = ActivityRuns(activity.version, matcher.shape, {})
            runs_of.parts[part] = after
        elif before is not None and runs_of is not None:
            del runs_of.parts[part]
    if runs_of is not None and not runs_of.parts:
        state.runs.pop(key, None)


def apply_deadlines(moment: Moment, now: int, found: list[Case]) -> None:
    """Decide every absence whose deadline has come, and drop runs whose time is over."""
    moment.scope.event = None
    moment.scope.props = {}
    moment.scope.steps = {}
    moment.before = {}
    for key in list(moment.state.runs):
        activity = activity_of(moment.plan, key)
        runs_of = current_runs(moment, key, activity) if activity is not None else None
        if activity is None or runs_of is None:
            moment.state.runs.pop(key, None)
            continue
        for part, runs in list(runs_of.parts.items()):
            moment.part = part
            after, matches = activity.matcher.on_time(runs, now)
            for match in matches:
                found.append(case_of(activity, part, match))
            if after is None:
                del runs_of.parts[part]
            else:
                runs_of.parts[part] = after
        if not runs_of.parts:
            moment.state.runs.pop(key, None)


def case_of(activity: CompiledActivity, part: str, match: Match) -> Case:
    steps = {name: list(events) for name, events in match.steps.items() if events}
    ids = {name: [event.id for event in events] for name, events in steps.items()}
    if part:
        ids["/per"] = [part]
    return Case(activity.name, activity.version, occurrence_id(activity.name, ids), part, match.at, steps)


def runs_key(plan: Plan, activity: CompiledActivity) -> str:
    """Where the runs of an activity are kept: a draining definition has a place of its own beside the new one."""
    return f"{activity.name}@{activity.version}" if plan.draining.get(activity.version) is activity else activity.name


def activity_of(plan: Plan, key: str) -> CompiledActivity | None:
    name, _, version = key.partition("@")
    return plan.draining.get(version) if version else plan.activities.get(name)


def current_runs(moment: Moment, key: str, activity: CompiledActivity) -> ActivityRuns | None:
    """The runs under `key`, after what `on_change` says has been done to those of an older version."""
    runs_of = moment.state.runs.get(key)
    if runs_of is None or runs_of.version == activity.version:
        return runs_of
    wish = activity.spec.on_change
    if wish == "drain" and runs_of.version in moment.plan.draining:
        moment.state.runs[f"{activity.name}@{runs_of.version}"] = moment.state.runs.pop(key)
        return None
    if wish == "restart" or runs_of.shape != activity.matcher.shape:
        del moment.state.runs[key]
        moment.counters["runs_restarted"] += 1
        return None
    runs_of.version = activity.version
    return runs_of
