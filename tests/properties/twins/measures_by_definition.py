"""Measures in plain Python, slow and obvious: one user and one event after the other, as the definitions say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

DAY = 86_400_000
LATENESS = 2_000


def local_date(time: int, zone: str) -> date:
    return datetime.fromtimestamp(time / 1000, UTC).astimezone(ZoneInfo(zone)).date()


def retention(
    starts: Mapping[str, int],
    returns: Sequence[tuple[str, int]],
    zone_of: Any,
    as_of: int,
    days: Iterable[int],
    mode: str,
) -> dict[Any, tuple[int, int]]:
    """day, ">=day" -> (starters, returned)."""
    found = {}
    for day in days:
        exact = open_end = starters = 0
        for user, start in starts.items():
            zone = zone_of(user)
            if mode == "calendar":
                passed = local_date(as_of - LATENESS, zone) > local_date(start, zone) + timedelta(days=day)
                ds = [
                    (local_date(t, zone) - local_date(start, zone)).days for u, t in returns if u == user and t > start
                ]
            else:
                passed = start + (day + 1) * DAY <= as_of - LATENESS
                ds = [(t - start) // DAY for u, t in returns if u == user and t > start]
            starters += passed
            exact += passed and day in ds
            open_end += passed and any(d >= day for d in ds)
        found[day], found[f">={day}"] = (starters, exact), (starters, open_end)
    return found


def lifecycle(
    active: Sequence[tuple[str, int]], zone_of: Any, as_of: int, zones: Iterable[str]
) -> dict[str, list[int]]:
    """Monday -> [new, returning, resurrecting, dormant], of weeks that are over in every zone."""
    weeks: dict[str, set[date]] = {}
    for user, time in active:
        day = local_date(time, zone_of(user))
        weeks.setdefault(user, set()).add(day - timedelta(days=day.weekday()))
    mondays = {week for own in weeks.values() for week in own}
    today = min(local_date(as_of - LATENESS, zone) for zone in zones)
    found, week = {}, min(mondays)
    while week + timedelta(days=7) <= today and week <= max(mondays) + timedelta(days=7):
        counts = [0, 0, 0, 0]
        for own in weeks.values():
            before = week - timedelta(days=7) in own
            if week in own:
                counts[0 if week == min(own) else 1 if before else 2] += 1
            elif before:
                counts[3] += 1
        found[week.isoformat()] = counts
        week += timedelta(days=7)
    return found


def visits(signs: Sequence[tuple[str, int]], gap: int, dwell: int, again_after: int) -> int:
    """`signs`: ("ping" or "buy", time) of one user at one place."""
    stays: list[list[int]] = []
    for time in sorted(t for kind, t in signs if kind == "ping"):
        if stays and time - stays[-1][-1] <= gap:
            stays[-1].append(time)
        else:
            stays.append([time])
    spans = [(s[0], s[-1]) for s in stays if s[-1] - s[0] >= dwell] + [(t, t) for kind, t in signs if kind == "buy"]
    count, last = 0, None
    for start, end in sorted(spans):
        if last is None or start - last >= again_after:
            count += 1
        last = max(end, last) if last is not None else end
    return count


def shapley(channels: Sequence[frozenset[str]]) -> dict[str, Fraction]:
    """Channel -> its value in the game v(S) = conversions whose channels lie in S, over all coalitions."""
    players = sorted(frozenset().union(*channels)) if channels else []

    def v(coalition: Iterable[str]) -> int:
        return sum(own <= set(coalition) for own in channels)

    values, n = {}, len(players)
    for player in players:
        others = [other for other in players if other != player]
        total = Fraction(0)
        for size in range(n):
            for coalition in combinations(others, size):
                weight = Fraction(_factorial(size) * _factorial(n - size - 1), _factorial(n))
                total += weight * (v([*coalition, player]) - v(coalition))
        values[player] = total
    return values


def _factorial(n: int) -> int:
    return 1 if n < 2 else n * _factorial(n - 1)


ENTERING = ("quiet_hours", "send_window", "unreachable", "missing_value", "not_worth", "budget")


def entry_of(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of the records of one occurrence."""
    order = {"hold": 0, "control": 1, "send": 2, "suppress": 3}
    own = [r for r in records if not r["shadow"] and r["outcome"] in (*order, "match")]
    first = min(own, key=lambda r: (r["at_ms"], order.get(r["outcome"], 4), r["attempt"]), default=None)
    if first is None or first["outcome"] == "match":
        return None
    if first["outcome"] == "suppress":
        reason = first["reason"]
        return first if reason in ENTERING or reason.startswith(("cap:", "outranked:")) else None
    return first


def outcomes(
    records: Sequence[Mapping[str, Any]], goals: Sequence[tuple[str, int]], within: int, as_of: int
) -> tuple[dict[tuple[str, int], int], int, int | None]:
    """((arm, 0 or 1) -> mature users, immature users, when the last of these is mature), of an activity whose arms
    never changed."""
    entries: dict[str, list[tuple[int, str, str]]] = {}
    for user, occurrence in sorted({(r["user_id"], r["occurrence"]) for r in records}):
        entry = entry_of([r for r in records if (r["user_id"], r["occurrence"]) == (user, occurrence)])
        if entry is not None:
            arm = "control" if entry["outcome"] == "control" else "treated"
            entries.setdefault(user, []).append((entry["at_ms"], occurrence, arm))
    counts: dict[tuple[str, int], int] = {}
    immature, matures = 0, None
    for user, own in entries.items():
        if len({arm for _, _, arm in own}) > 1:
            continue
        start, _, arm = min(own)
        if start + within > as_of - LATENESS:
            immature += 1
            matures = max(matures or 0, start + within + LATENESS)
            continue
        met = int(any(u == user and start < t < start + within for u, t in goals))
        counts[arm, met] = counts.get((arm, met), 0) + 1
    return counts, immature, matures
