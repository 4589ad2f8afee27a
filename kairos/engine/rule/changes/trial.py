"""Shadows: what decides beside the activities in force, on trial. Nobody is contacted, and nothing else knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.reads.metric_readers import metric_readers
from kairos.engine.rule.release import Release, activity_version


def in_force(rules: RuleSet) -> RuleSet:
    """Without activities that are only on trial."""
    if not any(activity.state == "shadow" for activity in rules.activities.values()):
        return rules
    kept = {name: activity for name, activity in rules.activities.items() if activity.state != "shadow"}
    return msgspec.structs.replace(rules, activities=kept)


def off_trial(rules: RuleSet) -> RuleSet:
    """As if what is on trial were live: what one asks of rules that nobody is contacted by."""
    if in_force(rules) is rules:
        return rules
    freed = {
        name: msgspec.structs.replace(activity, state="live") if activity.state == "shadow" else activity
        for name, activity in rules.activities.items()
    }
    return msgspec.structs.replace(rules, activities=freed)


def shadows_of(release: Release) -> dict[str, Activity]:
    """Name -> what decides in its shadow, as if it were live: the activity itself, or a version beside it."""
    whole = {name: one for name, one in release.rules.activities.items() if one.state == "shadow"}
    beside = {name: one for name, one in release.shadows.items() if name in release.rules.activities}
    return {name: msgspec.structs.replace(one, state="live") for name, one in {**beside, **whole}.items()}


def trial_of(release: Release) -> Release | None:
    """The shadows alone, under the same policy, metrics, crowds and texts. None: there are none."""
    shadows = shadows_of(release)
    if not shadows:
        return None
    rules = msgspec.structs.replace(release.rules, activities=shadows, journeys={})
    return Release(release.number, rules, release.effective_at, seeds=release.seeds)


def refused(release: Release, versions: Mapping[str, Activity]) -> Iterator[str]:
    """Why what activities name as their shadows cannot stand there. `versions`: those that are known, by hash."""
    for name, activity in sorted(release.rules.activities.items()):
        if activity.shadow is None:
            continue
        version = release.shadows.get(name)
        if activity_version(activity) == activity.shadow:
            yield f"{name}: shadow: {activity.shadow} is this version itself"
        elif version is None:
            known = [hash_ for hash_, one in sorted(versions.items()) if one.name == name and hash_ != activity.shadow]
            told = f"; known are {', '.join(known)}" if known else ", in the store or by --shadows"
            yield f"{name}: shadow: no version {activity.shadow} is known{told}"
        else:
            yield from (f"{name}: shadow: {activity.shadow} {why}" for why in _unfit(version, activity, release.rules))


def _unfit(version: Activity, beside: Activity, rules: RuleSet) -> Iterator[str]:
    """Why this version cannot decide under the rules of today; it was linted under those of its own time."""
    if version.schedule != beside.schedule:
        yield "has another schedule: a shadow meets the slots of the activity that it stands beside"
    readers = metric_readers(msgspec.structs.replace(rules, activities={version.name: version}, journeys={}))
    yield from (f"reads metric.{metric}, which is no more" for metric in sorted(readers.keys() - rules.metrics.keys()))
    audience = version.audience
    crowds = {*audience.all_of, *audience.any_of, *audience.not_in} - rules.crowds.keys()
    yield from (f"asks for crowd {crowd}, which is no more" for crowd in sorted(crowds))
    texts = {f"{send.template}.{send.channel}" for send in version.sends if send.template is not None}
    yield from (f"says template {text}, which is no more" for text in sorted(texts - rules.templates.keys()))
