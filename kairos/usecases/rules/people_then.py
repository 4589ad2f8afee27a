"""Profiles as a backtest has them: the fields of today, and the kept crowds of then; and of which crowds nobody is
known where rules are played, so that they would select nobody without a word."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kairos.adapters.warehouse.port import Engine, Value
from kairos.engine.crowd.membership import SNAPSHOTS
from kairos.engine.expression import parse
from kairos.engine.play.simulate import UserProfiles
from kairos.engine.profile.port import History
from kairos.engine.rule.journey import expressions_of, journey_of
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.reads.needs import reached

Stay = tuple[str, int, int | None]
"""A crowd, when its user came in, and when she left it (epoch ms; None: she has not)."""

Snapshots = Mapping[str, Sequence[tuple[int, int]]]
"""Crowd -> when each snapshot went live (epoch ms), and its n, in order."""


class PeopleThen(History):
    """`stays`: user -> where she was. Of a crowd without snapshots her profile tells."""

    def __init__(self, today: UserProfiles, stays: Mapping[str, Sequence[Stay]], snapshots: Snapshots) -> None:
        self._today = today
        self._stays = stays
        self._snapshots = snapshots

    def __getitem__(self, user_id: str) -> Mapping[str, Any]:
        return self._today[user_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._today)

    def __len__(self) -> int:
        return len(self._today)

    def as_of(self, user_id: str, instant: int) -> Mapping[str, Any] | None:
        fields = self._today.get(user_id)
        if fields is None or not self._snapshots:
            return fields
        said = fields.get("crowds")
        others = [name for name in said if name not in self._snapshots] if isinstance(said, list) else []
        then = [
            crowd
            for crowd, came, left in self._stays.get(user_id, ())
            if came <= instant and (left is None or instant < left)
        ]
        return {**fields, "crowds": [*others, *then], SNAPSHOTS: self._looked_at(instant)}

    def _looked_at(self, instant: int) -> dict[str, int]:
        """Crowd -> the snapshot that was live; none before the first."""
        found: dict[str, int] = {}
        for crowd, lives in self._snapshots.items():
            place = bisect_right(lives, instant, key=lambda live: live[0])
            if place:
                found[crowd] = lives[place - 1][1]
        return found


def crowds_then(
    opened: Engine, where: str, bounds: Mapping[str, Value]
) -> tuple[Mapping[str, Sequence[Stay]], Snapshots]:
    """The stays of the users that `where` picks out of `m`, and the snapshots of every crowd. Raises QueryError."""
    snapshots: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for crowd, n, at in opened.query("SELECT crowd, n, at_ms FROM crowd_builds WHERE n IS NOT NULL ORDER BY n").rows:
        snapshots[crowd].append((at, n))
    stays: defaultdict[str, list[Stay]] = defaultdict(list)
    sql = f"""
        SELECT m.user_id, m.crowd, b.at_ms, e.at_ms FROM crowd_members m
        JOIN crowd_builds b ON b.crowd = m.crowd AND b.n = m.from_n
        LEFT JOIN crowd_builds e ON e.crowd = m.crowd AND e.n = m.to_n
        WHERE {where} ORDER BY m.user_id, m.crowd, m.from_n"""
    for user, crowd, came, left in opened.query(sql, bounds).rows:
        stays[user].append((crowd, came, left))
    return stays, snapshots


# ------------------------------------------------------------------------------------------------- nobody is in them
def asked_crowds(rules: RuleSet, activity: str | None = None) -> frozenset[str]:
    """The kept crowds that audiences, calendars and conditions ask, themselves or in what is made of them; but for
    those that are left out: where nobody is in them, everybody else is as she was. `activity`: of this one, or of this
    journey, alone."""
    named = {
        crowd
        for name, each in rules.activities.items()
        if activity is None or activity in (name, journey_of(name))
        for crowd in _named(rules, each)
    }
    for name, journey in rules.journeys.items():
        if activity in (None, name):
            named |= {crowd for text in expressions_of(journey) for crowd in parse(text).reads.crowds}
    return frozenset(rules.kept.keys() & reached(named, rules).keys())


def unknown_in_file(rules: RuleSet, people: UserProfiles | None, activity: str | None = None) -> list[str]:
    """Of those, the ones that no profile says anybody is in: a file of events knows no snapshots. People None: there
    are no profiles."""
    asked = asked_crowds(rules, activity)
    if not asked:
        return []  # of a million profiles each would be read
    lists = [profile.get("crowds") for profile in (people or {}).values()]
    said = {crowd for each in lists if isinstance(each, list) for crowd in each if isinstance(crowd, str)}
    return sorted(asked - said)


def unknown_then(opened: Engine, asked: frozenset[str]) -> list[str]:
    """Of these crowds the ones without a snapshot. Raises QueryError."""
    return sorted(asked - {crowd for (crowd,) in opened.query(_BUILT).rows}) if asked else []


def told_of_file(unknown: Sequence[str]) -> str:
    """In words; empty where there are none."""
    if not unknown:
        return ""
    said = json.dumps({"crowds": unknown}, ensure_ascii=False)[1:-1]
    return (
        f"nobody is known to be in {', '.join(unknown)}: a file of events has no snapshots of kept crowds. A profile "
        f"of --profiles says who is ({said}), `kairos crowds export` tells their ids; what plays the warehouse, as "
        "`kairos backtest` and the console do, knows who was"
    )


def told_of_warehouse(unknown: Sequence[str], profiles: bool) -> str:
    """The same; `profiles`: whether the warehouse has any."""
    if not unknown:
        return ""
    names = ", ".join(unknown)
    if not profiles:
        why = "a warehouse without profiles asks no crowd (`kairos warehouse load --profiles`)"
        return f"nobody counts as in {names}: {why}"
    return f"nobody was in {names}, unless a profile says so: the warehouse has no snapshot (`kairos crowds build`)"


_BUILT = "SELECT DISTINCT crowd FROM crowd_builds WHERE n IS NOT NULL"


def _named(rules: RuleSet, activity: Activity) -> Iterator[str]:
    audience, schedule = activity.audience, activity.schedule
    yield from (*audience.all_of, *audience.any_of)
    if isinstance(audience.control, str):
        yield audience.control
    if schedule is not None and schedule.crowd is not None:
        yield schedule.crowd
    for text in rules.asked_about(activity):
        yield from parse(text).reads.crowds
