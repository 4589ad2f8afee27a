"""No budget overshot: of each activity, the occurrences that used a unit up, over all its versions.

A unit is used up by what has gone or may have gone, and by what is still on its way; what failed gave its unit back.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from kairos.apps.audit.book import Book
from kairos.apps.audit.result import Result
from kairos.apps.audit.world import UNKNOWN_VERSION, World

_SPENT = """
SELECT s.activity, s.version, s.key, s.user_id FROM sends s
WHERE s.attempt = 1 AND EXISTS (
  SELECT 1 FROM sends o
  WHERE o.activity = s.activity AND o.user_id = s.user_id AND o.occurrence = s.occurrence AND (o.gone OR o.open))
ORDER BY s.activity, s.at, s.user_id, s.occurrence"""


def check(book: Book, world: World, result: Result) -> None:
    activities = occurrences = 0
    for activity, rows in groupby(book.ask(_SPENT), itemgetter(0)):
        spent = 0
        for _, version, key, user in rows:
            definition = world.activity(version)
            if definition is None:
                result.not_judged[f"sends {UNKNOWN_VERSION}"] += 1
                continue
            budget = definition.limits.budget
            if budget is None:
                continue
            spent += 1
            if spent > budget:
                result.add(f"{activity}: unit {spent:,} of a budget of {budget:,} went to {user}", key)
        activities += spent > 0
        occurrences += spent
    result.examined = {"activities with a budget": activities, "units used up": occurrences}
