"""No more wins than a group allows: of each user those of its messages that won, control's ghosts included, in any
`per`.

A win counts whatever became of its message. A ghost that was recorded before it competed has no record of its win.
"""

from __future__ import annotations

from itertools import groupby

from kairos.engine.rule.text.scalars import short_duration
from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.world import UNKNOWN_POLICY, World

_WINS = """
SELECT won, user_id, at, activity, key FROM decisions WHERE won IS NOT NULL
GROUP BY won, user_id, activity, occurrence ORDER BY won, user_id, at, activity, occurrence"""


def check(book: Book, world: World, result: Result) -> None:
    users = wins = 0
    for (group, user), rows in groupby(book.ask(_WINS), lambda row: (row[0], row[1])):
        users += 1
        seen: list[int] = []
        for _, _, at, activity, key in rows:
            wins += 1
            seen.append(at)
            rules = [policy.matching[group] for policy in world.policies(at) if group in policy.matching]
            if not rules:
                result.not_judged[f"wins {UNKNOWN_POLICY}"] += 1
                continue
            counts = [sum(at - (rule.per or 1) < other <= at for other in seen) for rule in rules]
            if all(count > rule.choose for count, rule in zip(counts, rules, strict=True)):
                span = f"in {short_duration(rules[0].per)}" if rules[0].per else "at one instant"
                result.add(f"{activity} won {group} for {user}, who had {rules[0].choose} wins {span} already", key)
    result.examined = {"users who were chosen for": users, "wins": wins}
