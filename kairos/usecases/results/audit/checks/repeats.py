"""A decision may be written again after a failure, but only as it was."""

from __future__ import annotations

from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.world import World

_DIFFERING = """
SELECT key, outcome, activity, user_id, count(DISTINCT digest) FROM decisions
GROUP BY key, outcome HAVING count(DISTINCT digest) > 1"""

# Of one attempt there is one of these: what follows a send or a suppressed attempt has the next number.
_CONTRADICTING = """
SELECT key, activity, user_id, attempt, group_concat(DISTINCT outcome) FROM decisions
WHERE outcome IN ('send', 'suppress', 'match', 'control') GROUP BY key HAVING count(DISTINCT outcome) > 1"""


def check(book: Book, world: World, result: Result) -> None:
    records = book.number("SELECT count(*) FROM decisions")
    different = book.number("SELECT count(*) FROM (SELECT DISTINCT key, outcome FROM decisions)")
    result.examined = {"decisions": different, "repetitions": records - different}
    for key, outcome, activity, user, versions in book.ask(_DIFFERING):
        result.add(f"{outcome} of {activity} for {user} was decided {versions} times, each differently", key)
    for key, activity, user, attempt, outcomes in book.ask(_CONTRADICTING):
        both = " and as ".join(sorted(outcomes.split(",")))
        result.add(f"attempt {attempt} of {activity} for {user} was decided as {both}", key)
