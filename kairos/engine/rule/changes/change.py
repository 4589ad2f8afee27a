"""What publishing does: what a new release changes, what happens to matches in flight, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kairos.engine.metric.compiled import metric_key
from kairos.engine.pattern import pattern_shape
from kairos.engine.rule.changes.journey_change import TouchedStep, is_changed, touched_steps
from kairos.engine.rule.changes.succession import MAX_DRAIN, Seeding, drain_time, drains, journey_drains, succeed
from kairos.engine.rule.changes.trial import refused
from kairos.engine.rule.journey import journey_of, longest_way
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.reads.metric_readers import metric_readers
from kairos.engine.rule.release import Release, activity_version
from kairos.engine.rule.text.scalars import short_duration


@dataclass(frozen=True)
class ActivityChange:
    """`kind`: new, changed or removed. `fields`: what differs. `in_flight`: what happens to open matches, in words.

    `touched`: of a journey, the steps that differ.
    """

    activity: str
    kind: str
    fields: tuple[str, ...]
    in_flight: str
    touched: tuple[TouchedStep, ...] = ()


@dataclass(frozen=True)
class MetricStart:
    """`complete_from`: event time in ms; None: never, unless it is seeded. `readers`: activities that read it."""

    metric: str
    since: int
    complete_from: int | None
    readers: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """`others`: changed parts beside the activities. `refusals`: why it must not be published as it is; `cold`: some
    of them because of metrics that are read and not complete.
    """

    release: Release
    changes: tuple[ActivityChange, ...]
    others: tuple[str, ...]
    metrics: tuple[MetricStart, ...]
    refusals: tuple[str, ...]
    cold: bool = False

    @property
    def empty(self) -> bool:
        return not (self.changes or self.others)


def change_of(
    previous: Release | None,
    rules: RuleSet,
    now: int,
    number: int | None = None,
    accept_cold: bool = False,
    seeding: Seeding | None = None,
    versions: Mapping[str, Activity] | None = None,
) -> Change:
    """What publishing `rules` after `previous` at event time `now` (ms) does; `number`, `seeding` and `versions` as for
    `succeed`."""
    release = succeed(previous, rules, now, number, seeding, versions)
    old = previous.rules if previous else RuleSet(activities={})
    changes = tuple(_activity_changes(old, rules))
    touched = {name for name, activity in rules.activities.items() if _begins(old.activities.get(name), activity)}
    metrics = tuple(_metric_starts(release, now))
    cold = () if accept_cold else tuple(_cold_reads(metrics, touched))
    refusals = (*_endless_drains(old, rules), *refused(release, versions or {}), *cold)
    return Change(release, changes, tuple(_other_changes(old, rules)), metrics, refusals, bool(cold))


def _begins(before: Activity | None, after: Activity) -> bool:
    """Does the activity begin anew: with another meaning, or by going live?"""
    if before is None or activity_version(before) != activity_version(after):
        return True
    return after.state == "live" and before.state != "live"


def _activity_changes(old: RuleSet, new: RuleSet) -> Iterator[ActivityChange]:
    """Messages and ends are told with their journeys."""
    for name in sorted({*map(journey_of, old.activities), *map(journey_of, new.activities)}):
        before, after = old.activities.get(name), new.activities.get(name)
        if before is None:
            yield ActivityChange(name, "new", _not_live(new.activities[name]), "none yet")
        elif after is None:
            yield ActivityChange(name, "removed", (), "dropped, held messages too")
        elif is_changed(name, old, new):
            touched = touched_steps(name, old, new)
            fields = (*_differences(before, after), *(f"step {step.key}: {step.kind}" for step in touched))
            yield ActivityChange(name, "changed", fields, _inside(name, after, old, new), touched)
        elif before != after:
            yield ActivityChange(name, "changed", tuple(_differences(before, after)), _in_flight(before, after, old))


def _not_live(activity: Activity) -> tuple[str, ...]:
    return () if activity.state == "live" else (f"state: {activity.state}, contacts nobody",)


def _differences(before: Activity, after: Activity) -> Iterator[str]:
    for field in Activity.__struct_fields__:
        one, two = getattr(before, field), getattr(after, field)
        if one != two:
            plain = isinstance(one, str | int) and isinstance(two, str | int)
            yield f"{field}: {one} -> {two}" if plain else "trigger" if field == "pattern" else field


def _in_flight(before: Activity, after: Activity, old: RuleSet) -> str:
    if activity_version(before) == activity_version(after):
        return _by_state(before, after)
    if after.on_change == "restart":
        return "dropped (on_change: restart)"
    if drains(before, after):
        span = drain_time(before, old.policy)
        return f"finish under the old definition, for at most {_span(span)} (on_change: drain)"
    if pattern_shape(before.pattern) == pattern_shape(after.pattern):
        return "kept, and go on under the new definition (on_change: keep)"
    return "dropped: the steps of the trigger changed, so they cannot be kept (on_change: keep)"


def _inside(name: str, after: Activity, old: RuleSet, new: RuleSet) -> str:
    if after.on_change == "restart":
        return "whoever is inside leaves (`changed`; on_change: restart)"
    if journey_drains(name, old, new):
        span = _span(longest_way(old.journeys[name].steps))
        return f"whoever is inside goes on under the old definition, for at most {span} (on_change: drain)"
    return "whoever is inside goes on at the step of the same id (on_change: keep)"


def _by_state(before: Activity, after: Activity) -> str:
    if "shadow" in (before.state, after.state) and before.state != after.state:
        return "dropped: what is on trial has a state of its own"
    if after.state == "paused":
        return "kept; what falls due while paused is suppressed"
    return "kept" if after.state == "live" else f"kept; what falls due is suppressed (state: {after.state})"


def _other_changes(old: RuleSet, new: RuleSet) -> Iterator[str]:
    for part in ("metrics", "crowds", "templates", "materials", "catalogs", "coupons"):
        one, two = getattr(old, part), getattr(new, part)
        for name in sorted(one.keys() | two.keys()):
            if verb := _verb(one, two, name):
                yield f"{part}: {name} {verb}"
    for part in ("policy", "sources", "profile", "workflow"):
        if getattr(old, part) != getattr(new, part):
            yield f"{part}.yaml changed"


def _verb(old: dict[str, Any], new: dict[str, Any], name: str) -> str:
    if name not in old:
        return "new"
    if name not in new:
        return "removed"
    return "changed" if old[name] != new[name] else ""


def _endless_drains(old: RuleSet, new: RuleSet) -> Iterator[str]:
    for name, after in sorted(new.activities.items()):
        before = old.activities.get(name)
        if before is None or after.part not in ("", "entry") or not drains(before, after):
            continue
        inside = longest_way(old.journeys[name].steps) if name in old.journeys else 0
        span = None if (matching := drain_time(before, old.policy)) is None else max(matching, inside)
        if span is None or span > MAX_DRAIN:
            advice = "30 days at most. Use keep or restart."
            yield f"{name}: on_change: drain would keep the old definition for {_span(span)}; {advice}"


def _metric_starts(release: Release, now: int) -> Iterator[MetricStart]:
    """Of every metric that is not complete yet."""
    readers = metric_readers(release.rules)
    for name, metric in sorted(release.rules.metrics.items()):
        since = release.counting_since[metric_key(metric)]
        complete = since + metric.window if metric.window is not None else None
        if since > 0 and (complete is None or complete > now):
            yield MetricStart(name, since, complete, readers.get(name, ()))


def _cold_reads(metrics: tuple[MetricStart, ...], touched: set[str]) -> Iterator[str]:
    for metric in metrics:
        cold = [name for name in metric.readers if name in touched]
        if cold:
            yield f"{', '.join(cold)}: reads metric.{metric.metric}, which is not complete yet"


def _span(ms: int | None) -> str:
    return "ever" if ms is None else short_duration(ms)
