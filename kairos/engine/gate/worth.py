"""What one message is worth and costs: asked by groups that compete, and by budgets that are shared."""

from __future__ import annotations

import math
from typing import Any

from kairos.engine.expression.scope import Scope
from kairos.engine.gate.budget import MONEY
from kairos.engine.rule.compile import Program
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.model import MEASURED


def worth_of(activity: CompiledActivity, program: Program, scope: Scope) -> dict[str, float | None]:
    """`uplift`, `value` and `cost`, the bare names of a score; None: not said, or no number."""
    worth = activity.worth
    if worth is None:
        return {"uplift": None, "value": None, "cost": 0.0}
    uplift = program.rules.uplift.get(activity.name, 0.0) if worth.uplift == MEASURED else worth.uplift
    said = {"uplift": uplift, "value": worth.value, "cost": worth.cost}
    return {name: number(told(scope) if callable(told) else told) for name, told in said.items()}


def number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def spending(activity: CompiledActivity, program: Program, scope: Scope, now: int) -> tuple[int | None, int, str]:
    """Limit (None: there is none), units that a message uses of it, and the budget's name where it is shared.

    What would cost nobody knows how much is refused, and so is everything after the end of a shared budget.
    """
    limits = activity.spec.limits
    shared = program.policy.budgets.get(limits.shared) if limits.shared is not None else None
    if shared is None:
        return limits.budget, 1, ""
    cost = worth_of(activity, program, scope)["cost"]
    over = shared.until is not None and now >= shared.until
    limit = 0 if over else round(shared.cost * MONEY)
    units = limit + 1 if cost is None else max(0, math.ceil(cost * MONEY - 0.5))
    return limit, units, limits.shared or ""
