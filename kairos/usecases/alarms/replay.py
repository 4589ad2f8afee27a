"""`kairos alarms --replay`: what the alarms would have said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from kairos.adapters.alarms.history import of_run, of_warehouse
from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.engine.alarm.fact import Fact, of_decision
from kairos.engine.alarm.spec import Alarms, Change
from kairos.engine.alarm.watch import Watch
from kairos.engine.decision import Record
from kairos.engine.rule.model import RuleSet
from kairos.engine.topics import DECISIONS
from kairos.usecases.alarms.known import known_of
from kairos.usecases.errors import InputError, NotThereError, reason_of


def replay(
    place: Path, alarms: Alarms, rules: RuleSet, until: int | None = None, engine: str = DUCKDB
) -> Iterator[Change]:
    """`place`: a warehouse, or the folder of a run. `until` (epoch ms): so far its silence is known; None: to its last
    fact. Raises NotThereError, InputError, WarehouseError and RunFolderError."""
    return played(history(place, engine), alarms, rules, until)


def played(facts: Iterable[Fact], alarms: Alarms, rules: RuleSet, until: int | None = None) -> Iterator[Change]:
    """`facts` by time. What is paused by now was not always: the decisions themselves say when it was."""
    watch = Watch(alarms, msgspec.structs.replace(known_of(rules), paused=frozenset()))
    yield from watch.play(facts)
    if watch.played:
        yield from watch.advance(until if until is not None else watch.played)


def facts_of(records: Iterable[Record]) -> Iterator[Fact]:
    """Of decisions, as a simulation makes them; what comes after its end is none."""
    for record in records:
        what = of_decision(record.outcome, record.reason, record.attempt or 1)
        if what is not None and not (record.after_end or record.shadow):
            yield Fact(record.at, what, record.activity, record.channel or "", 1, record.version)


def history(place: Path, engine: str = DUCKDB, since: int = 0) -> Iterator[Fact]:
    """By time. Raises what `replay` raises, as soon as the first is asked for."""
    if not place.is_dir():
        raise NotThereError(f"{place}: there is no such folder; a warehouse or the folder of a run is expected")
    if any(path.name in (f"{DECISIONS}.jsonl", "parts") for path in place.iterdir()):
        try:
            yield from of_run(place)
        except OSError as error:
            raise InputError("the run", str(place), reason_of(error)) from None
        return
    opened = open_engine(place, engine)
    try:
        yield from of_warehouse(opened, since)
    finally:
        opened.close()
