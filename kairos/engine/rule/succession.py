"""From one release to the next: which old definitions drain on, and since when each metric counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kairos.engine.metric.window import WindowedMetric
from kairos.engine.policy.spec import Policy
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release, activity_version

MAX_DRAIN = 30 * 86_400_000


@dataclass(frozen=True)
class Seeding:
    """Metric key -> user -> cells, counted over events from `since` (ms) on. A metric without window takes `since` as
    the beginning of everything: the file is the whole history.
    """

    since: int
    seeds: dict[str, dict[str, Any]]


def succeed(
    previous: Release | None, rules: RuleSet, now: int, number: int | None = None, seeding: Seeding | None = None
) -> Release:
    """The release that follows `previous` from event time `now` on.

    `previous` None: it is the first, or nothing is known of the one before. Number 1 is effective since ever, so that
    history can be played through it.
    """
    number = number or (previous.number + 1 if previous else 1)
    draining, until = _draining(previous, rules, now) if previous else ({}, {})
    metrics = [WindowedMetric(metric) for metric in rules.metrics.values()]
    return Release(
        number=number,
        rules=rules,
        effective_at=0 if number == 1 else now,
        draining=draining,
        drain_until=until,
        counting_since=_counting_since(previous, metrics, now, seeding),
        seeds=_seeds(previous, metrics, now, seeding),
    )


def drains(old: Activity, new: Activity) -> bool:
    """Do matches of `old` finish under it, beside `new`?"""
    return new.on_change == "drain" and activity_version(old) != activity_version(new)


def drain_time(activity: Activity, policy: Policy) -> int | None:
    """How long (ms) the last match begun under this definition can concern anybody; None: without end."""
    span = _longest_match(activity)
    if span is None:
        return None
    waits = [cap.retry_for or 0 for name in activity.limits.caps if (cap := policy.caps.get(name))]
    arms = [activity.send, *(variant.send for variant in activity.variants)]
    return span + max(waits, default=0) + max(sum(send.after or 0 for send in arm) for arm in arms)


def _longest_match(activity: Activity) -> int | None:
    """From the first event to the decision; None: without end."""
    pattern = activity.pattern
    counts = [step.times.most if step.times else 1 for step in pattern.steps if step.kind == "event"]
    most = None if None in counts else sum(count or 0 for count in counts)
    waits = pattern.steps[-1].kind == "absent"
    if most == 1 and not waits:
        return 0
    if pattern.within is None or pattern.within_kind == "first_last":
        return pattern.within
    return None if most is None else pattern.within * (most - 1 + waits)


def _draining(previous: Release, rules: RuleSet, now: int) -> tuple[dict[str, Activity], dict[str, int]]:
    current = {activity_version(activity) for activity in rules.activities.values()}
    until = {version: end for version, end in previous.drain_until.items() if end > now and version not in current}
    draining = {version: previous.draining[version] for version in until}
    for name, old in previous.rules.activities.items():
        new = rules.activities.get(name)
        if new is not None and drains(old, new):
            version = activity_version(old)
            span = drain_time(old, previous.rules.policy)
            draining[version] = old
            until[version] = now + min(MAX_DRAIN if span is None else span, MAX_DRAIN)
    return draining, until


def _counting_since(
    previous: Release | None, metrics: list[WindowedMetric], now: int, seeding: Seeding | None
) -> dict[str, int]:
    known = previous.counting_since if previous else {}
    return {metric.key: known.get(metric.key, _start(metric, now, seeding)) for metric in metrics}


def _start(metric: WindowedMetric, now: int, seeding: Seeding | None) -> int:
    if seeding is None or metric.key not in seeding.seeds:
        return now
    return seeding.since if metric.window else 0


def _seeds(
    previous: Release | None, metrics: list[WindowedMetric], now: int, seeding: Seeding | None
) -> dict[str, dict[str, Any]]:
    """They go along as long as they can count for a user of whom the job has seen nothing."""
    known = {**(previous.seeds if previous else {}), **(seeding.seeds if seeding else {})}
    alive = {}
    for metric in metrics:
        users = {user: cells for user, cells in known.get(metric.key, {}).items() if not _lapsed(metric, cells, now)}
        if users:
            alive[metric.key] = users
    return alive


def _lapsed(metric: WindowedMetric, cells: dict[Any, Any], now: int) -> bool:
    parts = [cells] if metric.per is None else cells.values()
    return all(metric.lapsed(part, now) for part in parts)
