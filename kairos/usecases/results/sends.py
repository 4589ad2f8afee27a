"""What each activity decided of late, and what is usual for it: counts of the warehouse, a day each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from kairos.adapters.warehouse.port import Engine
from kairos.engine.rule.journey import journey_of

DAY = 86_400_000
DAYS = 28
"""So many days (each of 24 h, the last one ends at `as_of`) are looked at beside the last one."""
LEAST = 7
"""Of fewer days nobody knows what is usual."""


class Sends(msgspec.Struct, frozen=True):
    """Of one activity or journey. `today`: sends of the last 24 h. `usual`: nine days of ten lie in it; None: too few
    days are known. `lost`: reason -> how many it stopped in all these days, the most first."""

    today: int = 0
    usual: tuple[int, int] | None = None
    lost: tuple[tuple[str, int], ...] = ()


class Lately(msgspec.Struct, frozen=True):
    """`as_of`: time (epoch ms) of the newest event; None: there is none."""

    as_of: int | None
    of: Mapping[str, Sends]


def lately(engine: Engine) -> Lately:
    """What each activity sent of late, and what is usual for it. Raises QueryError."""
    as_of: int | None = engine.query("SELECT max(time_ms) FROM events").rows[0][0]
    if as_of is None:
        return Lately(None, {})
    sent: dict[str, Counter[int]] = defaultdict(Counter)
    lost: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, int] = {}
    for activity, outcome, reason, day, number in engine.query(
        _COUNTED, {"as_of": as_of, "since": as_of - (DAYS + 1) * DAY}
    ).rows:
        name = journey_of(activity)
        first[name] = max(first.get(name, 0), day)
        if outcome == "send":
            sent[name][day] += number
        elif outcome == "suppress":
            lost[name][reason or ""] += number
    return Lately(as_of, {name: _sends(sent[name], lost[name], oldest) for name, oldest in first.items()})


def held(engine: Engine, activity: str) -> int:
    """How many matches of this activity or journey wait now. Raises QueryError."""
    number: int = engine.query(_HELD, {"activity": activity}).rows[0][0]
    return number


_COUNTED = """
SELECT activity, outcome, reason, CAST(floor(($as_of - at_ms) / 86400000.0) AS BIGINT) AS day, count(*)
FROM decisions
WHERE NOT shadow AND outcome IN ('send', 'suppress', 'hold', 'control') AND at_ms <= $as_of
  AND at_ms > $since
GROUP BY 1, 2, 3, 4"""

_HELD = """
WITH own AS (
  SELECT user_id, activity, occurrence, outcome FROM decisions
  WHERE NOT shadow AND (activity = $activity OR starts_with(activity, $activity || '.')))
SELECT count(*) FROM own h
WHERE h.outcome = 'hold' AND NOT EXISTS (
  SELECT 1 FROM own d WHERE d.user_id = h.user_id AND d.activity = h.activity AND d.occurrence = h.occurrence
  AND d.outcome <> 'hold')"""


def _sends(sent: Mapping[int, int], lost: Counter[str], oldest: int) -> Sends:
    """`oldest`: the day, counted backwards, with the first decision; a day without sends since then counts as none."""
    days = sorted(sent.get(day, 0) for day in range(1, min(oldest, DAYS) + 1))
    most = tuple(sorted(lost.items(), key=lambda each: (-each[1], each[0])))
    return Sends(sent.get(0, 0), _usual(days) if len(days) >= LEAST else None, most)


def _usual(days: Sequence[int]) -> tuple[int, int]:
    cut = len(days) // 20
    return days[cut], days[-1 - cut]
