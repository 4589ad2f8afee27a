"""The publish plan: what a new release changes, what happens to matches in flight, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kairos.engine.metric.window import WindowedMetric
from kairos.engine.pattern import pattern_shape
from kairos.engine.rule.metric_readers import metric_readers
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release, activity_version
from kairos.engine.rule.succession import MAX_DRAIN, Seeding, drain_time, drains, succeed

DAY = 86_400_000


@dataclass(frozen=True)
class ActivityChange:
    """`kind`: new, changed or removed. `fields`: what differs. `in_flight`: what happens to open matches, in words."""

    activity: str
    kind: str
    fields: tuple[str, ...]
    in_flight: str


@dataclass(frozen=True)
class MetricStart:
    """`complete_from`: event time in ms; None: never, unless it is seeded. `readers`: activities that read it."""

    metric: str
    since: int
    complete_from: int | None
    readers: tuple[str, ...]


@dataclass(frozen=True)
class PublishPlan:
    """`others`: changed parts beside the activities. `refusals`: why it must not be published as it is."""

    release: Release
    changes: tuple[ActivityChange, ...]
    others: tuple[str, ...]
    metrics: tuple[MetricStart, ...]
    refusals: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not (self.changes or self.others)


def plan_release(
    previous: Release | None,
    rules: RuleSet,
    now: int,
    number: int | None = None,
    accept_cold: bool = False,
    seeding: Seeding | None = None,
) -> PublishPlan:
    """What publishing `rules` after `previous` at event time `now` (ms) does; `number`, `seeding` as for `succeed`."""
    release = succeed(previous, rules, now, number, seeding)
    old = previous.rules if previous else RuleSet(activities={})
    changes = tuple(_activity_changes(old, rules))
    touched = {name for name, activity in rules.activities.items() if _begins(old.activities.get(name), activity)}
    metrics = tuple(_metric_starts(release, now))
    refusals = [*_endless_drains(old, rules), *([] if accept_cold else _cold_reads(metrics, touched))]
    return PublishPlan(release, changes, tuple(_other_changes(old, rules)), metrics, tuple(refusals))


def _begins(before: Activity | None, after: Activity) -> bool:
    """Does the activity begin anew: with another meaning, or by going live?"""
    if before is None or activity_version(before) != activity_version(after):
        return True
    return after.state == "live" and before.state != "live"


def _activity_changes(old: RuleSet, new: RuleSet) -> Iterator[ActivityChange]:
    for name in sorted(old.activities.keys() | new.activities.keys()):
        before, after = old.activities.get(name), new.activities.get(name)
        if before is None:
            yield ActivityChange(name, "new", (), "none yet")
        elif after is None:
            yield ActivityChange(name, "removed", (), "dropped, held messages too")
        elif before != after:
            yield ActivityChange(name, "changed", tuple(_differences(before, after)), _in_flight(before, after, old))


def _differences(before: Activity, after: Activity) -> Iterator[str]:
    for field in Activity.__struct_fields__:
        one, two = getattr(before, field), getattr(after, field)
        if one != two:
            plain = isinstance(one, str | int) and isinstance(two, str | int)
            yield f"{field}: {one} -> {two}" if plain else "trigger" if field == "pattern" else field


def _in_flight(before: Activity, after: Activity, old: RuleSet) -> str:
    if activity_version(before) == activity_version(after):
        return _by_state(after)
    if after.on_change == "restart":
        return "dropped (on_change: restart)"
    if drains(before, after):
        span = drain_time(before, old.policy)
        return f"finish under the old definition, for at most {_span(span)} (on_change: drain)"
    if pattern_shape(before.pattern) == pattern_shape(after.pattern):
        return "kept, and go on under the new definition (on_change: keep)"
    return "dropped: the steps of the trigger changed, so they cannot be kept (on_change: keep)"


def _by_state(after: Activity) -> str:
    if after.state == "paused":
        return "kept; what falls due while paused is suppressed"
    return "kept" if after.state == "live" else f"kept; what falls due is suppressed (state: {after.state})"


def _other_changes(old: RuleSet, new: RuleSet) -> Iterator[str]:
    for part in ("metrics", "crowds", "templates", "materials"):
        one, two = getattr(old, part), getattr(new, part)
        for name in sorted(one.keys() | two.keys()):
            if verb := _verb(one, two, name):
                yield f"{part}: {name} {verb}"
    for part, file in (("policy", "policy.yaml"), ("sources", "sources.yaml"), ("profile", "profile.yaml")):
        if getattr(old, part) != getattr(new, part):
            yield f"{file} changed"


def _verb(old: dict[str, Any], new: dict[str, Any], name: str) -> str:
    if name not in old:
        return "new"
    if name not in new:
        return "removed"
    return "changed" if old[name] != new[name] else ""


def _endless_drains(old: RuleSet, new: RuleSet) -> Iterator[str]:
    for name, after in sorted(new.activities.items()):
        before = old.activities.get(name)
        if before is None or not drains(before, after):
            continue
        span = drain_time(before, old.policy)
        if span is None or span > MAX_DRAIN:
            advice = "30 days at most. Use keep or restart."
            yield f"{name}: on_change: drain would keep the old definition for {_span(span)}; {advice}"


def _metric_starts(release: Release, now: int) -> Iterator[MetricStart]:
    """Of every metric that is not complete yet."""
    readers = metric_readers(release.rules)
    for name, metric in sorted(release.rules.metrics.items()):
        since = release.counting_since[WindowedMetric(metric).key]
        complete = since + metric.window if metric.window is not None else None
        if since > 0 and (complete is None or complete > now):
            yield MetricStart(name, since, complete, readers.get(name, ()))


def _cold_reads(metrics: tuple[MetricStart, ...], touched: set[str]) -> Iterator[str]:
    for metric in metrics:
        cold = [name for name in metric.readers if name in touched]
        if cold:
            yield f"{', '.join(cold)}: reads metric.{metric.metric}, which is not complete yet"


def _span(ms: int | None) -> str:
    """A duration for people."""
    if ms is None:
        return "ever"
    for unit, size in (("d", DAY), ("h", 3_600_000), ("m", 60_000)):
        if ms >= size and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms / 1000:g}s"
