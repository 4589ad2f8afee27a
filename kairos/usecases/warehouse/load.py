"""`kairos warehouse load`. Whatever is loaded twice, in another order or in parts: the tables hold the same rows."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from kairos.adapters.delivery.ledger_reader import LedgerReader, open_ledger_reader
from kairos.adapters.files.events import lines_in, open_events
from kairos.adapters.profiles.file import Profiles
from kairos.adapters.warehouse.change import Change, changing
from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.incoming import Incoming
from kairos.adapters.warehouse.merge import Merge
from kairos.adapters.warehouse.profiles import columns_of, profile_row, types_of
from kairos.adapters.warehouse.rows import (
    Reader,
    Row,
    activity_row,
    call_row,
    event_reader,
    read_decision,
    read_receipt,
)
from kairos.engine.event import EventError
from kairos.engine.rule.model import RuleSet
from kairos.engine.source.schema import check_of
from kairos.engine.warehouse.tables import ACTIVITIES, CALLS, PROFILES, Table, Type
from kairos.usecases.errors import InputError, reason_of
from kairos.usecases.events import STDIN, read_people
from kairos.usecases.progress import Progress, Tell, silent
from kairos.usecases.warehouse.care import compact_within


class Lines(NamedTuple):
    """A file of JSON lines. `on_bytes` hears now and then how far it is read."""

    name: str
    stream: BinaryIO
    on_bytes: Tell | None = None


@dataclass
class Inputs:
    """What there is to load, opened."""

    events: Sequence[Lines] = ()
    decisions: Sequence[Lines] = ()
    receipts: Sequence[Lines] = ()
    profiles: Profiles | None = None
    ledger: LedgerReader | None = None


@dataclass(frozen=True)
class Files:
    """What there is to load. `.gz` is unpacked, `-` is standard input. `ledger`: an SQLAlchemy URL."""

    events: Sequence[Path] = ()
    decisions: Sequence[Path] = ()
    receipts: Sequence[Path] = ()
    profiles: Path | None = None
    ledger: str | None = None


Broken = Callable[[str, int, str, bytes], None]
"""Hears of each line that is left out: file, number of the line, what is wrong with it, the line."""


@dataclass
class Loaded:
    """`read`: table -> rows that were given; `new`: those of them that were not there. `notes`: more to be said."""

    read: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    notes: list[str] = field(default_factory=list)


def load_files(
    warehouse: Path,
    rules: RuleSet,
    files: Files,
    broken: Broken,
    strange: Callable[[str], None],
    progress: Progress = silent,
) -> Loaded:
    """All of it becomes visible at once, at the end. `strange` hears what is wrong with single values of profiles.

    Raises WarehouseError, InputError and LedgerReaderError.
    """
    people = read_people(files.profiles, rules.profile, strange) if files.profiles else None
    with ExitStack() as stack:
        inputs = Inputs(profiles=people)
        groups = (files.events, files.decisions, files.receipts)
        opened = iter(_open([path for group in groups for path in group], stack, progress))
        inputs.events, inputs.decisions, inputs.receipts = ([next(opened) for _ in group] for group in groups)
        inputs.ledger = stack.enter_context(open_ledger_reader(files.ledger)) if files.ledger else None
        return load(warehouse, rules, inputs, broken)


def _open(paths: Sequence[Path], stack: ExitStack, progress: Progress) -> list[Lines]:
    """All of them are one stage, counted in bytes."""
    try:
        streams = [stack.enter_context(open_events(path)) for path in paths]
        sizes = [0 if path.suffix == ".gz" or str(path) == "-" else path.stat().st_size for path in paths]
    except OSError as error:
        raise InputError("", str(error.filename), reason_of(error)) from None
    tell = stack.enter_context(progress("loading", sum(sizes) or None))
    before = [sum(sizes[:number]) for number in range(len(sizes))]
    return [
        Lines(STDIN if str(path) == "-" else str(path), stream, tell and _from(tell, start))
        for path, stream, start in zip(paths, streams, before, strict=True)
    ]


def _from(tell: Tell, start: int) -> Tell:
    return lambda done: tell(start + done)


def load(warehouse: Path, rules: RuleSet, inputs: Inputs, broken: Broken, *, run: bool = False) -> Loaded:
    """All of it becomes visible at once, at the end. `run`: it is a whole run, which replaces the one before it, unless
    something else is in the warehouse, too. Raises WarehouseError, InputError, and LedgerReaderError."""
    result = Loaded()
    with changing(Folder(warehouse)) as change:
        arrivals = Arrivals(change, run=run)
        for table, row in _rows(rules, inputs, broken, result):
            arrivals.add(table, row)
        if inputs.profiles is not None:
            arrivals.add_profiles(inputs.profiles, rules.profile, result.notes.append)
        arrivals.commit(result)
        compact_within(change)
    return result


def _rows(rules: RuleSet, inputs: Inputs, broken: Broken, result: Loaded) -> Iterable[tuple[Table, Row]]:
    for activity in rules.activities.values():
        yield ACTIVITIES, activity_row(activity)
    check = check_of(rules.sources)
    files: list[tuple[Sequence[Lines], Reader]] = [
        (inputs.events, event_reader(check)),
        (inputs.decisions, read_decision),
        (inputs.receipts, read_receipt),
    ]
    for group, reader in files:
        for lines in group:
            yield from _read(lines, reader, broken, result)
    if inputs.ledger is not None:
        yield from ledger_rows(inputs.ledger)


def ledger_rows(ledger: LedgerReader) -> Iterable[tuple[Table, Row]]:
    """Of calls that have ended: a row is written once, and what is under way would be another one later."""
    channels = {row.key: row.channel for row in ledger.rows()}
    for call in ledger.calls():
        if call.ended_at is not None:
            yield CALLS, call_row(call, channels.get(call.key))


_TICK = 8192


def _read(lines: Lines, reader: Reader, broken: Broken, result: Loaded) -> Iterable[tuple[Table, Row]]:
    def refuse(number: int, reason: str, line: bytes) -> None:
        result.broken += 1
        broken(lines.name, number, reason, line)

    try:
        for number, line in lines_in(lines.stream, refuse):
            try:
                row = reader(line)
            except EventError as error:
                if line.strip():
                    refuse(number, error.message, line)
                continue
            if row is not None:
                yield row
            if lines.on_bytes is not None and not number % _TICK:
                lines.on_bytes(lines.stream.tell())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("", lines.name, str(getattr(error, "strerror", None) or error)) from None


RUN = ".run"
"""A file that is in a warehouse as long as there is nothing in it but one run."""


class Arrivals:
    """Rows on their way into the warehouse, gathered by table; `commit` makes them part of it, all at once."""

    def __init__(self, change: Change, *, run: bool = False) -> None:
        """`run`: as in `load`."""
        self._change = change
        self._incoming: dict[str, Incoming] = {}
        self._mark = change.folder.path / RUN
        self._stays_run = run and (self._mark.exists() or not change.folder.all_files())
        self._replaced = change.folder.all_files() if self._stays_run else []

    def add(self, table: Table, row: Row) -> None:
        incoming = self._incoming.get(table.name)
        if incoming is None:
            incoming = self._open(table, table.types)
        incoming.add(row)

    def add_profiles(self, profiles: Profiles, declared: dict[str, str] | None, report: Callable[[str], None]) -> None:
        """`declared`: the types of profile.yaml."""
        types = types_of(profiles, declared, report)
        incoming = self._open(PROFILES, columns_of(types))
        for user, fields in sorted(profiles.items()):
            incoming.add(profile_row(user, fields, types, report))

    def commit(self, result: Loaded) -> None:
        for incoming in self._incoming.values():
            incoming.close()
            result.read[incoming.table.name] = incoming.count
        add, remove = self._marked()
        merge = Merge(self._change.folder, self._change.staging, without=self._replaced)
        try:
            for incoming in self._incoming.values():
                merged = merge.merge(incoming.table, incoming.path)
                result.new[incoming.table.name] = merged.rows
                add.update(merged.add)
                remove += merged.remove
        finally:
            merge.close()
        self._change.commit(add, remove)

    def _marked(self) -> tuple[dict[Path, Path], list[Path]]:
        """As in a commit."""
        if not self._stays_run:
            return {}, [self._mark] if self._mark.exists() else []
        mark = self._change.staging / RUN
        mark.touch()
        return {mark: self._mark}, list(self._replaced)

    def _open(self, table: Table, columns: dict[str, Type]) -> Incoming:
        path = self._change.staging / f"{table.name}.parquet"
        self._incoming[table.name] = incoming = Incoming(table, path, columns)
        return incoming
