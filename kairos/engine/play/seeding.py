"""What metrics come to over a file of past events, so that a release can start from there and not from nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kairos.engine.event import Event
from kairos.engine.metric.compiled import metric_key
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.changes.succession import Seeding
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release


def seed_metrics(
    previous: Release | None, rules: RuleSet, events: Sequence[Event], until: int, on_duplicate: Callable[[int], None]
) -> Seeding:
    """Counts the events before `until` (event time, ms) into every metric that `previous` does not count yet.

    A metric that is being counted is left alone: what the job has of a user cannot be told from what the file has.
    """
    known = previous.counting_since if previous else {}
    fresh = {name: spec for name, spec in rules.metrics.items() if metric_key(spec) not in known}
    past = [event for event in events if event.time < until]
    simulation = Simulation(RuleSet({}, metrics=fresh, policy=rules.policy), on_duplicate=on_duplicate)
    for _ in simulation.run(past):
        pass
    seeds: dict[str, dict[str, Any]] = {metric_key(spec): {} for spec in fresh.values()}
    for user, state in simulation.users.items():
        for key, cells in state.metrics.items():
            seeds[key][user] = cells
    return Seeding(min((event.time for event in past), default=until), seeds)
