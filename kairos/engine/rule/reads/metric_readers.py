"""Which activities read which metrics, directly or through crowds."""

from __future__ import annotations

from collections.abc import Iterable

from kairos.engine.crowd.spec import Crowd, RuleCrowd, parts_of
from kairos.engine.expression import parse
from kairos.engine.rule.journey import expressions_of
from kairos.engine.rule.model import Activity, RuleSet


def metric_readers(rules: RuleSet) -> dict[str, tuple[str, ...]]:
    """Metric -> the activities that read it, through crowds too."""
    by_crowd = {name: _crowd_metrics(name, rules.crowds, set()) for name in rules.crowds}
    readers: dict[str, list[str]] = {}
    for name, activity in sorted(rules.activities.items()):
        journey = rules.journeys.get(name)
        steps = [] if journey is None else list(expressions_of(journey))
        for metric in _metrics_of(activity, [*rules.asked_about(activity), *steps], by_crowd):
            readers.setdefault(metric, []).append(name)
    return {metric: tuple(names) for metric, names in readers.items()}


def metrics_of_crowd(name: str, rules: RuleSet) -> frozenset[str]:
    """Those that its definition reads, itself or through others."""
    return _crowd_metrics(name, rules.crowds, set())


def _metrics_of(activity: Activity, asked: Iterable[str], by_crowd: dict[str, frozenset[str]]) -> frozenset[str]:
    audience = activity.audience
    crowds = {*audience.all_of, *audience.any_of, *audience.not_in}
    if isinstance(audience.control, str):
        crowds.add(audience.control)
    found: frozenset[str] = frozenset()
    for text in asked:
        reads = parse(text).reads
        found |= reads.metrics | reads.priors
        crowds |= reads.crowds
    return found.union(*(by_crowd.get(crowd, frozenset()) for crowd in crowds))


def _crowd_metrics(crowd: str | Crowd, crowds: dict[str, Crowd], seen: set[str]) -> frozenset[str]:
    if isinstance(crowd, str):
        if crowd in seen or crowd not in crowds:
            return frozenset()
        return _crowd_metrics(crowds[crowd], crowds, seen | {crowd})
    if isinstance(crowd, RuleCrowd):
        reads = parse(crowd.where).reads
        nested = (_crowd_metrics(name, crowds, seen) for name in reads.crowds)
        return (reads.metrics | reads.priors).union(*nested)
    return frozenset().union(*(_crowd_metrics(part, crowds, seen) for part in parts_of(crowd)))
