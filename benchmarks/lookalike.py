"""Whether lookalikes help: `python -m benchmarks.lookalike [--quick | --write]`.

Customers of CDNOW and users of the clickstream, as of a day in the middle. Seeds are those who buy after that day; a
fifth of them is held out, and sought among all others by what was known on that day. Beside the model: chance, and
nearness to the seeds in recency, frequency and money. `refused`: no such crowd is built.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from kairos.adapters.files.events import open_events
from kairos.adapters.warehouse.opening import open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.apps.native.settings import data_folder
from kairos.engine.measure.ask import Ask
from kairos.engine.measure.clock import Clock
from kairos.engine.rule.model import RuleSet
from kairos.engine.score.likeness import Quality
from kairos.engine.score.purchases import purchases_sql
from kairos.engine.score.rfm import rfm_sql
from kairos.usecases.operation.dataset import cdnow, clickstream
from kairos.usecases.people.lookalike import RefusedError, Wanted, fit_likeness
from kairos.usecases.warehouse.load import Inputs, Lines, load


class Case(NamedTuple):
    """Seeds bought on at least `days` days after `as_of`."""

    name: str
    data: str
    as_of: datetime
    days: int


CASES = (
    Case("CDNOW: who buys again after 1997-09-30", "cdnow", datetime(1997, 10, 1, tzinfo=UTC), 1),
    Case("CDNOW: who buys on three more days", "cdnow", datetime(1997, 10, 1, tzinfo=UTC), 3),
    Case("clickstream: who buys after 2024-03-31", "ecom", datetime(2024, 4, 1, tzinfo=UTC), 1),
    Case("clickstream: who buys on two more days", "ecom", datetime(2024, 4, 1, tzinfo=UTC), 2),
)
_SEEDS = """
SELECT user_id FROM (SELECT user_id, count(DISTINCT time_ms // 86400000) AS days FROM events
WHERE type = 'purchase' AND time_ms >= $as_of AND user_id IN (SELECT user_id FROM events WHERE time_ms < $as_of)
GROUP BY user_id) b WHERE days >= $days"""


def run(shares: tuple[int, ...]) -> Iterator[tuple[Case, int, Quality, str]]:
    """(case, size as a share in %, quality, verdict)."""
    data = data_folder() / "data"
    files = {"cdnow": cdnow.prepare(data).events, "ecom": clickstream.prepare(data).events}
    with tempfile.TemporaryDirectory() as temporary:
        for name, path in files.items():
            with open_events(path) as stream:
                load(Path(temporary) / name, RuleSet(), Inputs(events=[Lines(name, stream)]), _never)
        for case in CASES:
            engine = open_engine(Path(temporary) / case.data)
            yield from ((case, share, *_judged(engine, case, share)) for share in shares)
            engine.close()


def _judged(engine: Engine, case: Case, share: int) -> tuple[Quality, str]:
    at = int(case.as_of.timestamp() * 1000)
    seeds = [user for (user,) in engine.query(_SEEDS, {"as_of": at, "days": case.days}).rows]
    users = engine.query("SELECT count(DISTINCT user_id) FROM events WHERE time_ms < $as_of", {"as_of": at}).rows[0][0]
    ask = Ask(lambda sql: engine.query(sql).rows, Clock.of("UTC", (), 0, at), at - 1)
    wanted = Wanted(case.name, seeds, at, rfm_sql(purchases_sql(ask)))
    try:
        _, quality = fit_likeness(engine, wanted, (users - round(0.8 * len(seeds))) * share // 100)
    except RefusedError as error:
        raise SystemExit(f"{case.name}: {error}") from None
    return quality, "refused" if quality.problem else "built"


def _never(name: str, line: int, reason: str, _content: bytes) -> None:
    raise SystemExit(f"{name}:{line}: {reason}")


def table(found: Iterator[tuple[Case, int, Quality, str]]) -> str:
    rows = [
        (
            case.name,
            f"{quality.seeds:,}",
            f"{share} % of {quality.candidates:,}",
            f"{quality.recall:.1%}",
            f"{quality.random:.1%}",
            f"{quality.nearest_by_rfm:.1%}",
            verdict,
        )
        for case, share, quality, verdict in found
    ]
    columns = ("seeds", "how many", "size", "recall", "by chance", "nearest by RFM", "")
    return "\n".join([f"Recall of a fifth of the seeds, held out; {machine()}:", "", *grid(columns, rows)])


def main() -> None:
    given = arguments(__doc__)
    report("lookalike", given, table(run((10,) if given.quick else (5, 10, 20))))


if __name__ == "__main__":
    main()
