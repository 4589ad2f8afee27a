"""What a unit of a shared budget has to bring: from what was compared before, as decisions have it (`choice`)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kairos.adapters.warehouse.port import Engine
from kairos.engine.decision import Choice, Rival
from kairos.engine.matching.prices import Opportunity, Option, price_of
from kairos.engine.rule.model import Activity, RuleSet

DIGITS = 6
_COMPARED = """SELECT at_ms, user_id, activity, outcome, attempt, choice FROM decisions
WHERE choice IS NOT NULL AND at_ms <= $as_of AND NOT coalesce(shadow, false) AND outcome <> 'goal'
ORDER BY at_ms, user_id, activity, occurrence"""
_Seen = tuple[int, str, str, str, int, Choice]


def prices(engine: Engine, rules: RuleSet, as_of: int | None) -> dict[str, float]:
    """Shared budget -> its price. None of a budget that is over, or of which nothing was compared."""
    if not rules.policy.budgets:
        return {}
    seen = _seen(engine, as_of)
    found = {}
    for name, budget in sorted(rules.policy.budgets.items()):
        members = {a.name for a in rules.activities.values() if a.limits.shared == name}
        compared = _compared(seen, rules, members)
        if not compared:
            continue
        first, last = seen[0][0], as_of or seen[-1][0]
        left = budget.cost - sum(_cost(rules.activities.get(line[2]), line) for line in seen if line[2] in members)
        ahead = last - first if budget.until is None else budget.until - last
        if ahead > 0:
            affordable = max(0.0, left) * max(1, last - first) / ahead
            found[name] = round(price_of(compared, affordable), DIGITS)
    return found


def _seen(engine: Engine, as_of: int | None) -> list[_Seen]:
    rows = engine.query(_COMPARED, {"as_of": 2**62 if as_of is None else as_of}).rows
    return [(*row[:5], msgspec.json.decode(row[5], type=Choice)) for row in rows]


def _compared(seen: Sequence[_Seen], rules: RuleSet, members: set[str]) -> list[Opportunity]:
    """The comparisons in which the budget was at stake. What is of another budget costs nothing of this one."""
    longest: dict[tuple[int, str, str], tuple[Rival, ...]] = {}
    for at, user, _, _, _, choice in seen:
        key = (at, user, choice.group)
        if len(choice.candidates) > len(longest.get(key, ())):
            longest[key] = choice.candidates
    groups = rules.policy.matching
    return [
        Opportunity([_option(rival, members) for rival in rivals], groups[group].choose, groups[group].floor or 0.0)
        for (_, _, group), rivals in longest.items()
        if group in groups and any(rival.activity in members for rival in rivals)
    ]


def _option(rival: Rival, members: set[str]) -> Option:
    """Its score without what the price of then took from it."""
    if rival.activity not in members or rival.cost is None:
        return Option(rival.score, 0.0)
    return Option(rival.score + (rival.price or 0.0) * rival.cost, rival.cost)


def _cost(activity: Activity | None, line: _Seen) -> float:
    """What a message has cost that was decided; what is sent without being compared is not seen here."""
    _, _, name, outcome, attempt, choice = line
    if outcome != "send" or attempt > 1 or activity is None:
        return 0.0
    return next((r.cost for r in choice.candidates if r.activity == name and r.score == choice.score), None) or 0.0
