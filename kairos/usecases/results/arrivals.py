"""What came of each source of late, as the warehouse has it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kairos.adapters.warehouse.port import Engine

DAY = 86_400_000


class Arrived(msgspec.Struct, frozen=True):
    """Of one source. `today`: events of the 24 h before the newest of all; `newest`: time of its own, epoch ms."""

    today: int
    newest: int


class Arrivals(msgspec.Struct, frozen=True):
    """`as_of`: time (epoch ms) of the newest event; None: there is none. `sql`: what was asked."""

    as_of: int | None
    of: Mapping[str, Arrived]
    sql: str


def arrivals(engine: Engine) -> Arrivals:
    """How many events of each source came of late. Raises QueryError."""
    found = {source: Arrived(today, newest) for source, today, newest in engine.query(_SQL).rows}
    return Arrivals(max((each.newest for each in found.values()), default=None), found, _SQL.strip())


_SQL = f"""
SELECT source, count(*) FILTER (time_ms > (SELECT max(time_ms) FROM events) - {DAY}) AS today, max(time_ms) AS newest
FROM events
GROUP BY source"""
