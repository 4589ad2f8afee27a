"""Gate 10, always last: budgets, spent over all users. One `Budget` an activity, kept over versions."""

from __future__ import annotations

import msgspec

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery

REFUSAL_KNOWN_AFTER = 10_000
"""How long (ms of event time) after a refused send what it had reserved is free again, where the refusal has to travel
from dispatch back to evaluate. A fixed time, so that decisions do not depend on how fast it travels."""


class Budget(msgspec.Struct, array_like=True):
    """How many sends of an activity were spent, over all users."""

    spent: int = 0


def dispatch(budget: Budget, candidate: Candidate) -> tuple[Record, Delivery | None]:
    """Spend one unit, or refuse: `suppress: budget`. Candidates come in the order (at, user, occurrence)."""
    if candidate.budget is None:
        return candidate.record, candidate.delivery
    if budget.spent < candidate.budget:
        budget.spent += 1
        return candidate.record, candidate.delivery
    refused = msgspec.structs.replace(
        candidate.record, outcome="suppress", reason="budget", channel=None, template=None, degraded=msgspec.UNSET
    )
    return refused, None


def refund(budget: Budget) -> None:
    """A send that reached nobody used nothing up."""
    budget.spent = max(0, budget.spent - 1)
