"""No budget overshot: of each activity or journey, the occurrences that used a unit up, over all its versions.

A unit is used up by what has gone or may have gone, and by what is still on its way; what failed gave its unit back.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby

from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import Activity
from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.world import UNKNOWN_POLICY, UNKNOWN_VERSION, World

_SPENT = """
SELECT s.activity, s.version, s.key, s.user_id, s.at FROM sends s
WHERE s.attempt = 1 AND EXISTS (
  SELECT 1 FROM sends o
  WHERE o.activity = s.activity AND o.user_id = s.user_id AND o.occurrence = s.occurrence AND (o.gone OR o.open))
ORDER BY s.activity, s.at, s.user_id, s.occurrence"""


def check(book: Book, world: World, result: Result) -> None:
    activities = occurrences = 0
    shared = dict[str, Fraction]()
    for activity, rows in groupby(book.ask(_SPENT), lambda row: journey_of(row[0])):
        spent = 0
        for _, version, key, user, at in rows:
            definition = world.activity(version)
            if definition is None:
                result.not_judged[f"sends {UNKNOWN_VERSION}"] += 1
                continue
            budget = definition.limits.budget
            if definition.limits.shared is not None:
                _spend(shared, definition, world, key, at, user, result)
                occurrences += 1
            if budget is None:
                continue
            spent += 1
            if spent > budget:
                result.add(f"{activity}: unit {spent:,} of a budget of {budget:,} went to {user}", key)
        activities += spent > 0
        occurrences += spent
    result.examined = {"activities with a budget": activities + len(shared), "units used up": occurrences}


def _spend(
    spent: dict[str, Fraction], definition: Activity, world: World, key: str, at: int, user: str, result: Result
) -> None:
    """Of a shared budget: exactly what its messages cost, where that is a number; what is computed nobody has kept."""
    name, cost = definition.limits.shared or "", definition.worth.cost if definition.worth else 0.0
    limits = [policy.budgets[name].cost for policy in world.policies(at) if name in policy.budgets]
    if not limits or isinstance(cost, str):
        why = UNKNOWN_POLICY if not limits else "whose cost is computed"
        result.not_judged[f"sends {why}"] += 1
        return
    spent[name] = spent.get(name, Fraction(0)) + Fraction(str(cost))
    if spent[name] > Fraction(str(max(limits))):
        result.add(
            f"{definition.name}: {float(spent[name]):g} of {max(limits):g} of {name} were spent with {user}", key
        )
