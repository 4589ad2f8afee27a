"""What is to be expected of a change, told to those who agree to it: whom it reaches, and what it would have done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kairos.engine.compare.difference import CLASSES
from kairos.engine.compare.report import Comparison, Row
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.workflow.subjects import Subject
from kairos.errors import KairosError
from kairos.usecases.progress import Progress, silent
from kairos.usecases.rules.publish import Proposal
from kairos.usecases.rules.release_backtest import ReleaseBacktest, release_backtest
from kairos.usecases.rules.spending import spent_on


class Forecast(msgspec.Struct, frozen=True):
    """What a change would have done. `found` None: there is no history, or it cannot be asked, for the reason
    `unknown`."""

    found: ReleaseBacktest | None = None
    unknown: str = ""

    def lines(self, subject: Subject, people: int | None) -> list[str]:
        """What reviewers of the subject read. `people` of its calendar; None: it has none, or nobody has counted."""
        counted = [] if people is None else [f"its calendar reaches {people:,} people"]
        missing = [f"what it would have done cannot be told: {self.unknown}"] if self.unknown else []
        return [*counted, *missing, *(_would_have_done(subject, self.found) if self.found is not None else ())]


NOTHING = Forecast()


def forecast_of(ask: Callable[[], ReleaseBacktest | None]) -> Forecast:
    """`ask`: as `backtest_of` does. A history that cannot be asked keeps nobody from submitting."""
    try:
        return Forecast(ask())
    except KairosError as error:
        return Forecast(unknown=str(error))


def backtest_of(
    proposal: Proposal, warehouse: Path | None, store: str, measures: Measures, progress: Progress = silent
) -> ReleaseBacktest | None:
    """What the change would have done; None: there was no release before it, or no history. Raises WarehouseError."""
    if warehouse is None or not warehouse.is_dir() or proposal.previous is None or proposal.change.empty:
        return None
    return release_backtest(warehouse, proposal.previous, proposal.change.release, store, measures, progress=progress)


def _would_have_done(subject: Subject, found: ReleaseBacktest) -> Iterator[str]:
    """Of an activity or journey its own rows; of what activities share, every row that differs."""
    coverage, comparison = found.compared.coverage, found.compared.comparison
    if coverage.start is None or coverage.last is None:
        return
    yield f"over {coverage.events:,} events, from {_utc(coverage.start)} to {_utc(coverage.last)}, it would have done:"
    if coverage.why:
        yield coverage.why
    own = [row for row in comparison.activities if journey_of(row.activity) == subject.name]
    rows = own or [row for row in comparison.activities if _differs(row)]
    for row in rows:
        sends, users = _change(row.sends_a, row.sends_b), _change(row.users_a, row.users_b)
        yield f"{row.activity}: messages {sends}, people {users}"
    yield from _together(found, comparison)
    if not any(_differs(row) for row in comparison.activities):
        yield "nothing else than the release before it"


def _together(found: ReleaseBacktest, comparison: Comparison) -> Iterator[str]:
    """Of all activities: what it costs, and how much comes at once."""
    spent = spent_on(comparison.sends, found.a.measures, found.b.measures)
    if spent is not None:
        yield f"all messages cost {spent.a:,.2f} -> {spent.b:,.2f} {spent.currency}".rstrip()
    for peak in comparison.peaks:
        if peak.a != peak.b:
            yield f"most within a minute, {peak.channel}: {_change(peak.a, peak.b)}"


def _differs(row: Row) -> bool:
    return any(getattr(row, kind) for kind in CLASSES if kind != "same")


def _change(before: int, after: int) -> str:
    return f"{before:,} -> {after:,}"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
