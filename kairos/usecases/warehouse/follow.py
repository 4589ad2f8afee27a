"""Following Kafka into a warehouse: what has come is written now and then, and only then acknowledged.

Whoever is killed in between loads the same records again, which changes nothing: that is what the keys are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from kairos.adapters.delivery.ledger_reader import open_ledger_reader
from kairos.adapters.profiles.file import Profiles
from kairos.adapters.search.port import SearchStore
from kairos.adapters.warehouse.change import changing
from kairos.adapters.warehouse.feed import Taken
from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.rows import Row, activity_row, event_reader, read_decision
from kairos.engine.event import EventError
from kairos.engine.rule.model import RuleSet
from kairos.engine.source.schema import check_of
from kairos.engine.topics import DECISIONS, HEARTBEAT
from kairos.engine.warehouse.tables import ACTIVITIES, Table
from kairos.usecases.people.index import Following, claims_of
from kairos.usecases.warehouse.care import compact_within, trim_within
from kairos.usecases.warehouse.load import Arrivals, Loaded, ledger_rows

POLL_SECONDS = 0.5


class Feed(Protocol):
    """`kairos.adapters.warehouse.feed.KafkaFeed`."""

    def take(self, seconds: float) -> list[Taken]: ...
    def commit(self) -> None: ...
    def at_end(self) -> bool: ...


class Surroundings(NamedTuple):
    """What is kept beside the topics, asked when it is written. `profiles`: None where they have not been asked for."""

    rules: Callable[[], RuleSet]
    profiles: Callable[[], Profiles] | None = None
    ledger: str | None = None


@dataclass
class Rhythm:
    """Times in seconds, by `clock`. `interval`, `rows`: it is written when either is reached. `world`: how often
    profiles and ledger are read. `keep`: ms, as in `trim`; 0: for ever."""

    clock: Callable[[], float]
    interval: float = 30.0
    rows: int = 100_000
    world: float = 600.0
    keep: int = 0


Tell = Callable[[Loaded], None]
Broken = Callable[[str, str], None]
"""Hears of each record that is left out: its place in Kafka, and why."""


def follow(
    feed: Feed,
    warehouse: Path,
    beside: Surroundings,
    rhythm: Rhythm,
    *,
    stop: Callable[[], bool],
    tell: Tell,
    broken: Broken,
    until_now: bool = False,
    search: SearchStore | None = None,
) -> None:
    """Loads what comes, until `stop`, or with `until_now` till all that is in Kafka now is loaded.

    `search`: where people are found by, kept up with what has come. Raises FeedError, WarehouseError, SearchError and
    what `beside` raises.
    """
    pending: list[tuple[Table, Row]] = []
    written = looked = None
    rules = beside.rules()
    following = Following(search, claims_of(rules)) if search is not None else None
    while True:
        pending += _rows(feed.take(POLL_SECONDS), rules, broken)
        now, ended = rhythm.clock(), stop() or (until_now and feed.at_end())
        due = written is None or now - written >= rhythm.interval or len(pending) >= rhythm.rows
        if ended or (pending and due):
            rules = beside.rules()
            look = looked is None or ended or now - looked >= rhythm.world
            profiles = beside.profiles() if look and beside.profiles is not None else None
            tell(_write(warehouse, rules, pending, profiles, beside.ledger if look else None, rhythm.keep))
            if following is not None:
                following.written(pending, profiles)
            feed.commit()
            pending.clear()
            written, looked = now, now if look else looked
        if ended:
            return


def _rows(records: list[Taken], rules: RuleSet, broken: Broken) -> Iterator[tuple[Table, Row]]:
    read_event = event_reader(check_of(rules.sources))
    for record in records:
        if record.value not in (b"", HEARTBEAT):
            reader = read_decision if record.topic.endswith(DECISIONS) else read_event
            try:
                row = reader(record.value)
            except EventError as error:
                broken(record.place, error.message)
                continue
            if row is not None:
                yield row


def _write(
    warehouse: Path,
    rules: RuleSet,
    pending: list[tuple[Table, Row]],
    profiles: Profiles | None,
    ledger: str | None,
    keep: int,
) -> Loaded:
    result = Loaded()
    with changing(Folder(warehouse), wait=True) as change:
        arrivals = Arrivals(change)
        for activity in rules.activities.values():
            arrivals.add(ACTIVITIES, activity_row(activity))
        for table, row in pending:
            arrivals.add(table, row)
        if profiles is not None:
            arrivals.add_profiles(profiles, rules.profile, result.notes.append)
        if ledger is not None:
            with open_ledger_reader(ledger) as reader:
                for table, row in ledger_rows(reader):
                    arrivals.add(table, row)
        arrivals.commit(result)
        compact_within(change)
        if keep:
            trim_within(change, keep)
    return result
