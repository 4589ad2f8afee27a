"""Lookalikes: what a model will not look at, because it says by itself who is a seed."""

from __future__ import annotations

from kairos.engine.crowd.spec import Lookalike, RuleCrowd
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.text.report import Report, listed
from kairos.engine.score.leakage import PURCHASES, barred_by


def check_leakage(crowds: Value, world: World, report: Report) -> None:
    for name, value in crowds.items():
        crowd, seed = world.crowds.get(name), value.find("lookalike", "seed")
        if not isinstance(crowd, Lookalike) or seed is None:
            continue
        if isinstance(world.crowds.get(crowd.seed), RuleCrowd | None):
            continue  # it is not there, or live: an error already
        barred = barred_by(crowd.seed, world.crowds, PURCHASES)
        told = sorted([*barred.types, *(f"profile.{field}" for field in barred.fields)])
        if barred.every_type:
            message = f"seed: nobody can say which events '{crowd.seed}' reads; against leakage the model looks at none"
            report.warning(seed.node, "leakage", message, "name the event types in its rule")
        elif told:
            read = listed(told, "and")
            message = f"seed: '{crowd.seed}' is told by {read}; against leakage the model looks at nothing of it"
            report.warning(seed.node, "leakage", message, "a seed kept by hand bars nothing")
