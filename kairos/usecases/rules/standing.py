"""How many people wait at each step of the journeys that a release touches, from the warehouse's decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.journey.standing import Decided, standing
from kairos.engine.rule.model import RuleSet

_RECORDS = """
SELECT user_id, occurrence, activity, outcome, at_ms FROM decisions
WHERE NOT shadow AND at_ms <= $now
  AND ((activity = $name AND outcome IN ('match', 'control')) OR starts_with(activity, $name || '.'))
ORDER BY user_id, occurrence, at_ms"""


def people_standing(warehouse: Path, rules: RuleSet, journeys: Iterable[str], now: int) -> dict[str, Counter[str]]:
    """By journey: key of a step -> runs that wait there at `now` (epoch ms). No warehouse: nothing is known.

    `rules`: those that these people came in under. Raises WarehouseError.
    """
    if not warehouse.is_dir():
        return {}
    zone = ZoneInfo(rules.policy.timezone)
    with closing(open_engine(warehouse)) as engine:
        found = {}
        for name in journeys:
            rows = engine.query(_RECORDS, {"name": name, "now": now}).rows
            records = (Decided(user, run, part.partition(".")[2], outcome, at) for user, run, part, outcome, at in rows)
            found[name] = standing(rules.journeys[name], records, now, zone)
        return found
