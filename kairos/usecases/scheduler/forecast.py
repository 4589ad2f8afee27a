"""The load to come, by hour and channel: what calendars will begin, what events usually bring, and whom two calendars
would write to on one day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, groupby
from statistics import median

import msgspec

from kairos.adapters.warehouse.port import Engine
from kairos.engine.profile.address import reachable
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.schedule.calendar import Slot
from kairos.engine.schedule.pace import in_order, turns
from kairos.engine.schedule.people import Profile
from kairos.engine.schedule.played import ON_TIME
from kairos.usecases.scheduler.foresee import due, everything
from kairos.usecases.scheduler.ports import People

HOUR = 3_600_000
WEEK = 168 * HOUR
WEEKS = 4
"""So many weeks before the newest event say what is usual."""
AWAY = ("paused", "ended")


class Part(msgspec.Struct, frozen=True):
    """What an activity sends on a channel in the hour from `hour` (epoch ms). `planned` by its calendar; `usual`: the
    median of the same hour of the weeks before, which lay between `low` and `high`."""

    hour: int
    channel: str
    activity: str
    planned: int = 0
    usual: float = 0
    low: int = 0
    high: int = 0


class Overlap(msgspec.Struct, frozen=True):
    """So many `users` are due for both activities on a local `day`."""

    day: str
    one: str
    other: str
    users: int


class Forecast(msgspec.Struct, frozen=True):
    """`parts` by hour, channel and activity, and `channels`: the same of all activities together, whose ranges do not
    add up. `weeks`: so many are known of what is usual."""

    parts: list[Part]
    channels: list[Part]
    overlaps: list[Overlap]
    weeks: int


def forecast(rules: RuleSet, people: People, engine: Engine | None, start: int, until: int) -> Forecast:
    """Of the hours in [start, until). `engine` None: nothing is known of what is usual. People of the control group are
    among those that a calendar begins. Raises PeopleAwayError and QueryError."""
    planned, overlaps = _planned(rules, people, start, until)
    usual, weeks = _usual(rules, engine) if engine is not None else ({}, 0)
    hours = range(start - start % HOUR, until, HOUR)
    by_channel: defaultdict[tuple[str, str], Counter[tuple[int, int]]] = defaultdict(Counter)
    for (channel, _), counts in usual.items():
        by_channel[channel, ""] += counts
    together: Counter[tuple[int, str, str]] = Counter()
    for (hour, channel, _), users in planned.items():
        together[hour, channel, ""] += users
    return Forecast(
        list(_parts(hours, planned, usual, weeks)), list(_parts(hours, together, by_channel, weeks)), overlaps, weeks
    )


def _parts(
    hours: Iterable[int], planned: Mapping[tuple[int, str, str], int],
    usual: Mapping[tuple[str, str], Mapping[tuple[int, int], int]], weeks: int,
) -> Iterator[Part]:  # fmt: skip
    known = sorted({*usual, *((channel, activity) for _, channel, activity in planned)})
    for hour in hours:
        for channel, activity in known:
            counts = usual.get((channel, activity), {})
            seen = [counts.get((week, hour // HOUR % 168), 0) for week in range(weeks)] or [0]
            due = planned.get((hour, channel, activity), 0)
            if due or max(seen):
                yield Part(hour, channel, activity, due, median(seen), min(seen), max(seen))


# ---------------------------------------------------------------------------------------------------------- calendars
def _planned(
    rules: RuleSet, people: People, start: int, until: int
) -> tuple[Counter[tuple[int, str, str]], list[Overlap]]:
    """Of each hour, channel and activity so many people, each on the first channel of his that can be reached. Names
    are kept of those alone who have their turns at a pace, which says when each of them comes."""
    scheduled = [a for a in rules.activities.values() if a.schedule is not None and a.state in ON_TIME]
    paced: defaultdict[tuple[str, Slot], dict[str, str]] = defaultdict(dict)
    both: Counter[tuple[str, str, str]] = Counter()
    planned: Counter[tuple[int, str, str]] = Counter()
    found = due(rules, scheduled, people, everything(rules, scheduled), start, until - 1)
    for _, hers in groupby(found, key=lambda each: each.user_id):
        days: defaultdict[str, set[str]] = defaultdict(set)
        for user, profile, activity, slot in hers:
            if (channel := _channel(activity, profile)) is None:
                continue
            days[slot.name[:10]].add(activity.name)
            if activity.pace is None:
                planned[slot.at // HOUR * HOUR, channel, activity.name] += 1
            else:
                paced[activity.name, slot][user] = channel
        for day, names in days.items():
            both.update((day, *pair) for pair in combinations(sorted(names), 2))
    for (name, slot), channels in paced.items():
        for turn in turns(rules.activities[name].pace, in_order(channels, name, slot.name)):
            hour = (slot.at + turn.after) // HOUR * HOUR
            if not turn.expired and hour < until:
                planned[hour, channels[turn.user_id], name] += 1
    return planned, [Overlap(day, one, other, users) for (day, one, other), users in sorted(both.items())]


def _channel(activity: Activity, profile: Profile) -> str | None:
    """Of a journey, whose messages come later, none."""
    channels = (send.channel for send in activity.sends)
    return next((channel for channel in channels if reachable(profile, channel, True, activity.service)), None)


# -------------------------------------------------------------------------------------------------------------- usual
_SENT = f"""
SELECT channel, activity, CAST(floor(($as_of - at_ms) / {WEEK}.0) AS BIGINT) AS week,
       CAST(floor(at_ms / {HOUR}.0) AS BIGINT) % 168 AS hour, count(*)
FROM decisions
WHERE outcome = 'send' AND NOT shadow AND channel IS NOT NULL AND at_ms <= $as_of AND at_ms > $since
GROUP BY 1, 2, 3, 4"""


def _usual(rules: RuleSet, engine: Engine) -> tuple[dict[tuple[str, str], Counter[tuple[int, int]]], int]:
    """((channel, activity) -> (weeks ago, hour of the week) -> sends, of how many weeks). Without what a calendar
    begins, and without what is switched off."""
    oldest, newest = engine.query("SELECT min(time_ms), max(time_ms) FROM events").rows[0]
    weeks = min(WEEKS, (newest - oldest) // WEEK) if newest is not None else 0
    known = {name for name, each in rules.activities.items() if each.schedule is None and each.state not in AWAY}
    found: defaultdict[tuple[str, str], Counter[tuple[int, int]]] = defaultdict(Counter)
    if weeks:
        rows = engine.query(_SENT, {"as_of": newest, "since": newest - weeks * WEEK}).rows
        for channel, activity, week, hour, number in rows:
            if activity in known:
                found[channel, activity][week, hour] += number
    return dict(found), weeks
