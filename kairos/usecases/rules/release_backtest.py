"""What a release would have done in the last days that the warehouse knows, beside the one before it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from kairos.adapters.database.connection import open_engine as open_database
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.delivery.controls import Controls
from kairos.adapters.rules.side import NamedRules, called
from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from kairos.usecases.errors import AskError
from kairos.usecases.progress import Progress, silent
from kairos.usecases.results.measure import newest_event
from kairos.usecases.rules.backtest import Result, Span, gather, play_span, played, prepare
from kairos.usecases.rules.compare import Compared

SPAN = 30 * 86_400_000
"""How far back from the newest event decisions are compared, ms."""

_NOT_IN_FORCE = ("draft", "submitted", "approved", "shadow")


class ReleaseBacktest(msgspec.Struct, frozen=True):
    """`a`: the release before, `b`: the new one. `rates`: channel -> calls a second that its workers may make."""

    a: NamedRules
    b: NamedRules
    compared: Compared
    rates: dict[str, float]


def release_backtest(
    warehouse: Path,
    before: Release,
    after: Release,
    store: str,
    measures: Measures | None = None,
    span: int = SPAN,
    progress: Progress = silent,
) -> ReleaseBacktest | None:
    """None: there is no such warehouse, or there are no events in it. `store`: of the rules, in which rates are kept as
    well where it is a database. `measures`: what messages cost.

    Activities that nobody has switched on contact nobody here, unlike in `compare`. Raises WarehouseError.
    """
    newest = _newest(warehouse)
    if newest is None:
        return None
    a, b = (called(f"release {each.number}", in_force(each.rules), measures) for each in (before, after))
    task, spans = prepare(a.rules, b.rules, warehouse, newest - span, None)

    def play(some: list[Span]) -> list[Result]:
        found: list[Result] = []
        with progress("comparing", len(some)) as tell:
            for one in some:
                found.append(play_span(task, one))
                if tell is not None:
                    tell(len(found))
        return found

    return ReleaseBacktest(a, b, gather(task, played(task, spans, play)), _rates(store))


def in_force(rules: RuleSet) -> RuleSet:
    """Without what is still being written, waits for approval or is on trial."""
    kept = {name: each for name, each in rules.activities.items() if each.state not in _NOT_IN_FORCE}
    return msgspec.structs.replace(rules, activities=kept)


def _newest(warehouse: Path) -> int | None:
    if not warehouse.is_dir():
        return None
    with closing(open_engine(warehouse)) as engine:
        try:
            return newest_event(engine)
        except AskError:
            return None


def _rates(store: str) -> dict[str, float]:
    """None are known where the store is a folder, or a database in which no worker has its rate."""
    if "://" not in store:
        return {}
    database = open_database(store)
    try:
        return {each.channel: each.rate for each in Controls(database).all() if each.rate is not None}
    except DatabaseAwayError:
        return {}
    finally:
        database.dispose()
