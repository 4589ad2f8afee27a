"""What must be known of people to say whose turn it is."""

from __future__ import annotations

from kairos.engine.crowd.spec import Members, RuleCrowd
from kairos.engine.expression import parse
from kairos.engine.rule.model import RuleSet, Schedule
from kairos.engine.rule.reads.needs import Needs, reached


def needs_of(schedule: Schedule, rules: RuleSet) -> Needs:
    """Where they are, the date that the schedule hangs on, and what its crowd asks."""
    crowds = reached([schedule.crowd] if schedule.crowd is not None else [], rules)
    asked = [parse(crowd.where).reads for crowd in crowds.values() if isinstance(crowd, RuleCrowd)]
    fields = {name for reads in asked for name in reads.profile}
    return Needs(
        frozenset({"timezone", "crowds", *([schedule.field] if schedule.field else ()), *fields}),
        frozenset(name for name, crowd in crowds.items() if isinstance(crowd, Members) and crowd.users is None),
        frozenset(),
        frozenset(name for name in crowds if name in rules.kept),
    )
