"""Local time in SQL: every user's own zone, by offsets that are worked out here, so that all engines agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from kairos.engine.expression.sql.pieces import quoted
from kairos.engine.measure.spec import DAY
from kairos.engine.time_zone import change_between, offset_ms

_STEP = 7 * DAY  # no zone changes its offset twice in so short a time


def offsets(zone: ZoneInfo, first: int, last: int) -> list[tuple[int, int]]:
    """(from, offset) in ms, ascending: what holds at `first`, and each change up to `last`."""
    found = [(first, offset_ms(first, zone))]
    at = first
    while at < last:
        after = min(at + _STEP, last)
        if offset_ms(after, zone) != found[-1][1]:
            found.append((change_between(at, after, zone), offset_ms(after, zone)))
        at = after
    return found


@dataclass(frozen=True)
class Clock:
    """`policy`: the zone of users without one of their own; `zones`: those that profiles name; times in ms.

    The SQL of `offset` and `day` reads `zp.timezone`, which `join` brings in, where users have zones of their own.
    """

    policy: ZoneInfo
    zones: tuple[str, ...]
    first: int
    last: int

    @classmethod
    def of(cls, policy: str, named: Iterable[str], first: int, last: int) -> Clock:
        own = sorted(set(named) - {policy})
        return cls(ZoneInfo(policy), tuple(own), min(first, last), last)

    def join(self, user: str) -> str:
        """A LEFT JOIN for the SQL column with the user's id; empty where one zone serves all."""
        return f"LEFT JOIN profiles zp ON zp.user_id = {user}" if self.zones else ""

    def offset(self, time: str) -> str:
        """SQL: ms from UTC at this time (SQL)."""
        default = self._case(self.policy, time)
        if not self.zones:
            return default
        cases = (f"WHEN {quoted(name)} THEN {self._case(ZoneInfo(name), time)}" for name in self.zones)
        return f"CASE zp.timezone {' '.join(cases)} ELSE {default} END"

    def day(self, time: str) -> str:
        """SQL: the local date, as days since 1970-01-01."""
        return f"CAST(floor(({time} + {self.offset(time)}) / 8.64e7) AS BIGINT)"

    def hour(self, time: str) -> str:
        """SQL: the hour of the local day, 0 to 23."""
        local = f"({time} + {self.offset(time)})"
        return f"CAST(floor(({local} - floor({local} / 8.64e7) * 8.64e7) / 3.6e6) AS BIGINT)"

    def latest_common_day(self, time: int) -> int:
        """The local date that no zone in use is behind of."""
        zones = [self.policy, *(ZoneInfo(name) for name in self.zones)]
        return min((time + offset_ms(time, zone)) // DAY for zone in zones)

    def _case(self, zone: ZoneInfo, time: str) -> str:
        changes = offsets(zone, self.first, self.last)
        *earlier, (_, last) = changes
        if not earlier:
            return str(last)
        until = [start for start, _ in changes[1:]]
        cases = (f"WHEN {time} < {end} THEN {offset}" for end, (_, offset) in zip(until, earlier, strict=True))
        return f"CASE {' '.join(cases)} ELSE {last} END"
