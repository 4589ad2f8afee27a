"""How much history rules need before what they decide is what they would have decided live."""

from __future__ import annotations

from kairos.engine.metric.spec import Metric
from kairos.engine.pattern import longest_match
from kairos.engine.rule.journey import longest_way
from kairos.engine.rule.model import RuleSet


def warm_up(*rules: RuleSet) -> int:
    """The longest match with the way through its journey, the longest metric window and the longest cap window of all
    of them, added up (ms)."""
    spans = (_whole(each, name) for each in rules for name in each.activities)
    windows = (_span(m) for each in rules for m in each.metrics.values())
    caps = (rule.per for each in rules for cap in each.policy.caps.values() for rule in cap.rules)
    return sum(max(lengths, default=0) for lengths in (spans, windows, caps))


def _whole(rules: RuleSet, name: str) -> int:
    journey = rules.journeys.get(name)
    inside = longest_way(journey.steps) if journey is not None else 0
    return (longest_match(rules.activities[name].pattern) or 0) + inside


def _span(metric: Metric) -> int:
    """After ten half-lives a thousandth is left of what was there."""
    return metric.window or (10 * metric.decay.half_life if metric.decay is not None else 0)
