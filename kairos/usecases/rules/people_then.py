"""Profiles as a backtest has them: the fields of today, and the kept crowds of then."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kairos.adapters.warehouse.port import Engine, Value
from kairos.engine.crowd.membership import SNAPSHOTS
from kairos.engine.play.simulate import UserProfiles
from kairos.engine.profile.port import History

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
