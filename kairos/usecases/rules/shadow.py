"""`kairos shadow`: what is on trial beside an activity has decided, compared with what the activity itself has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from kairos.adapters.decoding import decoder
from kairos.adapters.files.run_folder import lines_of
from kairos.adapters.rules.history import read_releases
from kairos.adapters.warehouse.decisions import records
from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.compare.report import Comparison, Row, Tally, daily, gathered, tally
from kairos.engine.compare.side import Side
from kairos.engine.compare.verdict import verdicts
from kairos.engine.decision import Record
from kairos.engine.rule.changes.trial import in_force, shadows_of
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release, activity_version
from kairos.usecases.errors import NotThereError

_ITS_USERS = "user_id IN (SELECT user_id FROM decisions WHERE activity = $activity AND shadow)"


class OnTrial(msgspec.Struct, frozen=True):
    """What is on trial. `a`: the rules in force, `b`: with the version on trial in place of the live one.

    `live`: the version that it stands beside; None: the whole activity is on trial. `since`: event time (epoch ms).
    """

    activity: str
    live: str | None
    version: str
    since: int
    a: RuleSet
    b: RuleSet


class Day(msgspec.Struct, frozen=True):
    day: str
    row: Row


class Shadowed(msgspec.Struct, frozen=True):
    """As in `kairos compare`, of one activity; and each day for itself. `decisions`: of the shadow."""

    on_trial: OnTrial
    decisions: int
    comparison: Comparison
    days: list[Day]


def on_trial(store: str, activity: str) -> OnTrial:
    """As the newest release has it. Raises RuleStoreError, and NotThereError where nothing of it is on trial."""
    releases = read_releases(store)
    newest = releases[-1]
    version = shadows_of(newest).get(activity)
    if version is None:
        names = ", ".join(sorted(shadows_of(newest))) or "nothing"
        raise NotThereError(f"nothing of {activity} is on trial in release {newest.number} of {store}: {names} is")
    a = in_force(newest.rules)
    b = msgspec.structs.replace(a, activities={**a.activities, activity: version})
    live = a.activities.get(activity)
    since = _since(releases, version)
    return OnTrial(activity, activity_version(live) if live else None, activity_version(version), since, a, b)


def _since(releases: list[Release], version: Activity) -> int:
    """From when on this version has been on trial without a break."""
    since = releases[-1].effective_at
    for release in reversed(releases):
        beside = shadows_of(release).get(version.name)
        if beside is None or activity_version(beside) != activity_version(version):
            break
        since = release.effective_at
    return since


def compare_shadow(
    tried: OnTrial, warehouse: Path | None, decisions: Path | None, start: int | None, end: int | None
) -> Shadowed:
    """Of decisions from `start` on and before `end` (epoch ms). From a file or folder of decisions, else from the
    warehouse. Raises WarehouseError, OSError, UnreadableError."""
    found = list(_of_file(decisions) if decisions is not None else _of_warehouse(warehouse or Path(), tried.activity))
    mine = [one for one in found if one.activity == tried.activity]
    shadow = [one for one in mine if one.shadow and one.version == tried.version]
    live = [one for one in mine if not one.shadow]
    others = [one for one in found if one.activity != tried.activity and one.outcome == "send" and not one.shadow]
    sides = Side(tried.a, verdicts(live), others), Side(tried.b, verdicts(shadow), others)
    begun = max(tried.since, start or 0)
    whole = gathered([_only(tried.activity, tally(*sides, begun, end))])
    days = daily(sides, begun, end, ZoneInfo(tried.a.policy.timezone))
    rows = [Day(day, _only(tried.activity, one).rows[0]) for day, one in days]
    return Shadowed(tried, len(shadow), whole, rows)


def _only(activity: str, found: Tally) -> Tally:
    """Without the empty rows of the others."""
    rows = [row for row in found.rows if row.activity == activity]
    return msgspec.structs.replace(found, rows=rows or [Row(activity)])


def _of_file(path: Path) -> Iterator[Record]:
    decode = decoder(Record)
    return (decode(line) for _, _, line in lines_of(path) if line.strip())


def _of_warehouse(warehouse: Path, activity: str) -> Iterable[Record]:
    """Its own, and others' sends to the same users."""
    wanted = f"activity = $activity OR (outcome = 'send' AND NOT shadow AND {_ITS_USERS})"
    with closing(open_engine(warehouse)) as engine:
        return list(records(engine, wanted, {"activity": activity}))
