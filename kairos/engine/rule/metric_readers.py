"""Which activities read which metrics, directly or through crowds."""

from __future__ import annotations

from collections.abc import Iterator

from kairos.engine.crowd.spec import Crowd, RuleCrowd, Sample, SetCrowd
from kairos.engine.expression import parse
from kairos.engine.rule.model import Activity, RuleSet


def metric_readers(rules: RuleSet) -> dict[str, tuple[str, ...]]:
    """Metric -> the activities that read it, through crowds too."""
    by_crowd = {name: _crowd_metrics(name, rules.crowds, set()) for name in rules.crowds}
    readers: dict[str, list[str]] = {}
    for name, activity in sorted(rules.activities.items()):
        for metric in _metrics_of(activity, by_crowd):
            readers.setdefault(metric, []).append(name)
    return {metric: tuple(names) for metric, names in readers.items()}


def _metrics_of(activity: Activity, by_crowd: dict[str, frozenset[str]]) -> frozenset[str]:
    audience = activity.audience
    crowds = {*audience.all_of, *audience.any_of, *audience.not_in}
    if isinstance(audience.control, str):
        crowds.add(audience.control)
    found: frozenset[str] = frozenset()
    for text in expressions_of(activity):
        reads = parse(text).reads
        found |= reads.metrics | reads.priors
        crowds |= reads.crowds
    return found.union(*(by_crowd.get(crowd, frozenset()) for crowd in crowds))


def expressions_of(activity: Activity) -> Iterator[str]:
    """The text of every expression of an activity; JavaScript is not among them."""
    goal = activity.goal
    conditions = [condition for step in activity.pattern.steps for condition in (step.where, step.until)]
    conditions += [activity.audience.where, *((goal.where, goal.value) if goal else ())]
    yield from (condition for condition in conditions if isinstance(condition, str))
    sends = [*activity.send, *(send for variant in activity.variants for send in variant.send)]
    yield from (text for data in (activity.data, *(send.data for send in sends)) for text in data.values())


def _crowd_metrics(crowd: str | Crowd, crowds: dict[str, Crowd], seen: set[str]) -> frozenset[str]:
    if isinstance(crowd, str):
        if crowd in seen or crowd not in crowds:
            return frozenset()
        return _crowd_metrics(crowds[crowd], crowds, seen | {crowd})
    if isinstance(crowd, RuleCrowd):
        reads = parse(crowd.where).reads
        nested = (_crowd_metrics(name, crowds, seen) for name in reads.crowds)
        return (reads.metrics | reads.priors).union(*nested)
    parts: tuple[str | Crowd, ...] = ()
    if isinstance(crowd, SetCrowd):
        parts = crowd.parts
    elif isinstance(crowd, Sample) and crowd.of is not None:
        parts = (crowd.of,)
    return frozenset().union(*(_crowd_metrics(part, crowds, seen) for part in parts))
