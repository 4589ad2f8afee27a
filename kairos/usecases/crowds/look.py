"""Looking at crowds: how large, how old, how they grow, what they share, and who is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kairos.adapters.warehouse.crowd_files import Build
from kairos.adapters.warehouse.port import Engine
from kairos.engine.crowd.spec import Crowd, SetCrowd
from kairos.engine.profile.fields import OWN_FIELDS
from kairos.usecases.crowds.places import Places, builds, live_build
from kairos.usecases.errors import AskError

SHOWN_MEMBERS = 20
SHOWN_BUILDS = 10
SHOWN_VALUES = 5
NEVER_BUILT = "never built"


@dataclass(frozen=True)
class Standing:
    """`live`: the snapshot that everybody sees; None: there is none. `status`: of the last attempt. Times in ms: `age`
    since what the live one knows, `next` when it is due (None: when somebody imports it)."""

    crowd: str
    kind: str
    live: Build | None
    status: str
    age: int | None
    next: int | None

    def is_due(self, now: int) -> bool:
        return self.next is not None and self.next <= now


def standings(places: Places, now: int) -> list[Standing]:
    """Of every kept crowd, by name. Raises WarehouseError."""
    return standings_of(places, history(places), now)


def history(places: Places) -> dict[str, list[Build]]:
    """Crowd -> its builds, in the order in which they were. Raises WarehouseError."""
    with places.asking() as engine:
        return builds(engine)


def standings_of(places: Places, history: Mapping[str, Sequence[Build]], now: int) -> list[Standing]:
    """`history`: what was built of each."""
    return [_standing(places, name, history.get(name, []), now) for name in sorted(places.rules.kept)]


def _standing(places: Places, name: str, history: Sequence[Build], now: int) -> Standing:
    live, refresh = live_build(history), places.rules.kept[name].refresh
    last = history[-1] if history else None
    due = None if refresh is None else last.as_of_ms + refresh if last is not None else now
    age = now - live.as_of_ms if live is not None else None
    status = last.status if last is not None else NEVER_BUILT
    return Standing(name, kind_of(places.rules.crowds[name]), live, status, age, due)


def kind_of(crowd: Crowd) -> str:
    """The word for it in crowds.yaml."""
    if isinstance(crowd, SetCrowd):
        return crowd.operation
    return str(type(crowd).__struct_config__.tag).replace("history", "where")


def members(places: Places, names: Sequence[str]) -> Iterator[str]:
    """The users who are in the live snapshots of all these crowds, sorted; at least one name. Raises NotThereError,
    AskError and WarehouseError."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        places.kept(name)
    with places.asking() as engine:
        for name in wanted:
            if live_build(builds(engine, name).get(name, ())) is None:
                raise AskError(f"the crowd '{name}' has no snapshot yet: kairos crowds build {name}")
        yield from (row[0] for row in engine.query(_IN_ALL, {"names": wanted, "all": len(wanted)}).rows)


_IN_ALL = """SELECT user_id FROM crowd_members WHERE crowd IN $names AND to_n IS NULL
GROUP BY user_id HAVING count(DISTINCT crowd) = $all ORDER BY user_id"""


_MEMBERS = "SELECT user_id FROM crowd_members WHERE crowd = $crowd AND to_n IS NULL"


_SHARED = f"""SELECT crowd, count(*) FROM crowd_members WHERE to_n IS NULL AND user_id IN ({_MEMBERS}) GROUP BY 1"""


def overlap(places: Places, names: Sequence[str]) -> list[list[int]]:
    """How many users each two of them share; a crowd with itself: its size. Raises NotThereError, WarehouseError."""
    for name in names:
        places.kept(name)
    own = "SELECT crowd, user_id FROM crowd_members WHERE crowd IN $names AND to_n IS NULL"
    sql = f"SELECT a.crowd, b.crowd, count(*) FROM ({own}) a JOIN ({own}) b ON b.user_id = a.user_id GROUP BY 1, 2"
    with places.asking() as engine:
        found = {(a, b): count for a, b, count in engine.query(sql, {"names": list(names)}).rows}
    return [[found.get((a, b), 0) for b in names] for a in names]


@dataclass(frozen=True)
class Portrait:
    """`growth`: its last builds, `overlap`: other kept crowds -> users in both, `fields`: field of the profile -> its
    most frequent values and how many members have them, `members`: some of them."""

    standing: Standing
    growth: list[Build]
    overlap: dict[str, int]
    fields: dict[str, list[tuple[Any, int]]] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)


def portrait(places: Places, name: str, now: int) -> Portrait:
    """All that is known of one crowd. Raises NotThereError and WarehouseError."""
    places.kept(name)
    with places.asking() as engine:
        history = builds(engine)
        others = [other for other in sorted(places.rules.kept) if other != name and other in history]
        shared = dict(engine.query(_SHARED, {"crowd": name}).rows)
        some = engine.query(f"{_MEMBERS} ORDER BY user_id LIMIT {SHOWN_MEMBERS}", {"crowd": name}).rows
        return Portrait(
            _standing(places, name, history.get(name, []), now),
            history.get(name, [])[-SHOWN_BUILDS:],
            {other: shared.get(other, 0) for other in others},
            dict(_fields(engine, name)),
            [user for (user,) in some],
        )


def _fields(engine: Engine, name: str) -> Iterator[tuple[str, list[tuple[Any, int]]]]:
    """Addresses and lists say nothing about a crowd."""
    for column in engine.columns("profiles"):
        if column == "user_id" or (column in OWN_FIELDS and column != "timezone"):
            continue
        sql = (
            f'SELECT p."{column}", count(*) FROM ({_MEMBERS}) m LEFT JOIN profiles p ON p.user_id = m.user_id '
            f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SHOWN_VALUES}"
        )
        if rows := engine.query(sql, {"crowd": name}).rows:
            yield column, [(value, count) for value, count in rows]
