"""From one release to the next: which old definitions drain on, and since when each metric counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kairos.engine.metric.compiled import CompiledMetric
from kairos.engine.pattern import longest_match
from kairos.engine.policy.spec import Policy
from kairos.engine.rule.journey import longest_way
from kairos.engine.rule.model import Activity, RuleSet, parts_of_journey
from kairos.engine.rule.release import DrainingJourney, Release, activity_version, journey_version

MAX_DRAIN = 30 * 86_400_000


@dataclass(frozen=True)
class Seeding:
    """Metric key -> user -> cells, counted over events from `since` (ms) on. A metric without window takes `since` as
    the beginning of everything: the file is the whole history.
    """

    since: int
    seeds: dict[str, dict[str, Any]]


def succeed(
    previous: Release | None,
    rules: RuleSet,
    now: int,
    number: int | None = None,
    seeding: Seeding | None = None,
    versions: Mapping[str, Activity] | None = None,
) -> Release:
    """The release that follows `previous` from event time `now` on. `versions`: what else can stand in a shadow.

    `previous` None: it is the first, or nothing is known of the one before. Number 1 is effective since ever, so that
    history can be played through it.
    """
    number = number or (previous.number + 1 if previous else 1)
    draining, until = _draining(previous, rules, now) if previous else ({}, {})
    metrics = [CompiledMetric(metric) for metric in rules.metrics.values()]
    before = dict(_before(previous, rules)) if previous else {}
    return Release(
        number=number,
        rules=rules,
        effective_at=0 if number == 1 else now,
        draining=draining,
        drain_until=until,
        draining_journeys=tuple(_draining_journeys(previous, rules, now)) if previous else (),
        counting_since=_counting_since(previous, metrics, now, seeding),
        seeds=_seeds(previous, metrics, now, seeding),
        shadows=dict(_shadows(previous, rules, versions or {})),
        before=before,
        texts_before={name: _texts_before(previous, old) for name, old in before.items() if previous and old},
    )


def drains(old: Activity, new: Activity) -> bool:
    """Do matches of `old` finish under it, beside `new`?"""
    return new.on_change == "drain" and activity_version(old) != activity_version(new)


def drain_time(activity: Activity, policy: Policy) -> int | None:
    """How long (ms) the last match begun under this definition can concern anybody; None: without end."""
    span = longest_match(activity.pattern)
    if span is None:
        return None
    waits = [cap.retry_for or 0 for name in activity.limits.caps if (cap := policy.caps.get(name))]
    arms = [activity.send, *(variant.send for variant in activity.variants)]
    return span + max(waits, default=0) + max(sum(send.after or 0 for send in arm) for arm in arms)


def _draining(previous: Release, rules: RuleSet, now: int) -> tuple[dict[str, Activity], dict[str, int]]:
    current = {activity_version(activity) for activity in rules.activities.values()}
    until = {version: end for version, end in previous.drain_until.items() if end > now and version not in current}
    draining = {version: previous.draining[version] for version in until}
    outside = [old for old in previous.before.values() if old is not None]
    for old in (*previous.rules.activities.values(), *outside):
        new = rules.activities.get(old.name)
        if new is not None and new.part in ("", "entry") and drains(old, new):
            version = activity_version(old)
            span = drain_time(old, previous.rules.policy)
            draining[version] = old
            until[version] = now + min(MAX_DRAIN if span is None else span, MAX_DRAIN)
    return draining, until


def journey_drains(name: str, old: RuleSet, new: RuleSet) -> bool:
    """Do those inside this journey go on under its old definition?"""
    before, after = old.journeys.get(name), new.journeys.get(name)
    if before is None or after is None or new.activities[name].on_change != "drain":
        return False
    was, is_ = (parts_of_journey(journey, rules.activities) for journey, rules in ((before, old), (after, new)))
    return journey_version(before, was) != journey_version(after, is_)


def _draining_journeys(previous: Release, rules: RuleSet, now: int) -> Iterator[DrainingJourney]:
    yield from (draining for draining in previous.draining_journeys if draining.until > now)
    for name, old in previous.rules.journeys.items():
        if journey_drains(name, previous.rules, rules):
            until = now + min(longest_way(old.steps), MAX_DRAIN)
            yield DrainingJourney(old, parts_of_journey(old, previous.rules.activities), until)


def _shadows(
    previous: Release | None, rules: RuleSet, versions: Mapping[str, Activity]
) -> Iterator[tuple[str, Activity]]:
    """Of those that are known: the versions that activities name as their shadows."""
    for name, activity in rules.activities.items():
        if activity.shadow is None:
            continue
        known = [versions.get(activity.shadow)]
        if previous is not None:
            kept = previous.rules.activities, previous.shadows, previous.before
            known += [previous.draining.get(activity.shadow), *(each.get(name) for each in kept)]
        fitting = (one for one in known if one is not None and one.name == name)
        found = next((one for one in fitting if activity_version(one) == activity.shadow), None)
        if found is not None:
            yield name, found


def _before(previous: Release, rules: RuleSet) -> Iterator[tuple[str, Activity | None]]:
    """What users have who are not in a rollout: the last version that was everyone's."""
    for name, activity in rules.activities.items():
        if activity.rollout is None:
            continue
        old = previous.rules.activities.get(name)
        if name in previous.before:
            yield name, previous.before[name]
        elif old is None or activity_version(old) != activity_version(activity):
            yield name, old


def _texts_before(previous: Release, old: Activity) -> dict[str, str]:
    """What its messages are made of, partials too: all, where they may render one another."""
    if old.name in previous.texts_before:
        return previous.texts_before[old.name]
    texts = previous.rules.templates
    own = {key: texts[key] for send in old.sends if (key := f"{send.template}.{send.channel}") in texts}
    return dict(texts) if any("render" in text for text in own.values()) else own


def _counting_since(
    previous: Release | None, metrics: list[CompiledMetric], now: int, seeding: Seeding | None
) -> dict[str, int]:
    known = previous.counting_since if previous else {}
    return {metric.key: known.get(metric.key, _start(metric, now, seeding)) for metric in metrics}


def _start(metric: CompiledMetric, now: int, seeding: Seeding | None) -> int:
    if seeding is None or metric.key not in seeding.seeds:
        return now
    return seeding.since if metric.window else 0


def _seeds(
    previous: Release | None, metrics: list[CompiledMetric], now: int, seeding: Seeding | None
) -> dict[str, dict[str, Any]]:
    """They go along as long as they can count for a user of whom the job has seen nothing."""
    known = {**(previous.seeds if previous else {}), **(seeding.seeds if seeding else {})}
    alive = {}
    for metric in metrics:
        users = {user: cells for user, cells in known.get(metric.key, {}).items() if not _lapsed(metric, cells, now)}
        if users:
            alive[metric.key] = users
    return alive


def _lapsed(metric: CompiledMetric, cells: dict[Any, Any], now: int) -> bool:
    parts = [cells] if metric.per is None else cells.values()
    return all(metric.lapsed(part, now) for part in parts)
