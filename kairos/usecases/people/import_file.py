"""`kairos people import`: profiles from a table with any columns; tried first, resumed where it stopped, and never a
reason to write to somebody who did not want it."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.profiles.imports import Importing
from kairos.adapters.profiles.table import Closed, read_table
from kairos.engine.profile.united import WHITE
from kairos.usecases.control.deeds import write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import InputError, reason_of
from kairos.usecases.people.show import day_of
from kairos.usecases.progress import Progress, silent

BATCH = 500

Report = Callable[[str, str], None]
"""Hears of each row, column or cell that is left out: its place in the file, and why."""


@dataclass(frozen=True)
class Wanted:
    """`mapping`: column -> field; empty: columns have the names of fields. `types`: of profile.yaml, None: there is
    none. `source`: who says all this, kept as the origin of each field. `log`: the rule store in whose log stands that
    `actor` has written it; None: in none."""

    file: Path
    mapping: Mapping[str, str]
    types: Mapping[str, str] | None
    source: str
    now: int
    actor: Actor
    log: str | None = None


@dataclass
class Imported:
    """Rows, by what became of them. `skipped`: done by an import of the same file that was stopped. `fields`: how often
    each was set; `kept`: refusals that the file would have taken back."""

    users: int = 0
    new: int = 0
    unchanged: int = 0
    skipped: int = 0
    reported: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)


def import_people(
    wanted: Wanted, into: Importing, notes: Path, report: Report, progress: Progress = silent, *, dry_run: bool = False
) -> Imported:
    """`notes`: a folder for how far each import has come. `dry_run`: everything is read and compared, nothing is
    written. Raises NotAllowedError, InputError and KairosError."""
    if not dry_run:
        write_people(wanted.log, wanted.actor, "import_people", f"people/{wanted.source}"[:190], wanted.now)
    done = Imported()

    told = False

    def heard(place: str, problem: str) -> None:
        if told:  # what an import that was stopped has said already is not said again
            done.reported += 1
            report(place, problem)

    note = notes / f"{_fingerprint(wanted)}.json"
    rows = _rows(wanted, heard)
    done.skipped = 0 if dry_run else _read(note)
    told = not done.skipped
    for _ in islice(rows, done.skipped):
        pass
    told = True
    with progress("imported", None) as tell:
        read = done.skipped
        while batch := list(islice(rows, BATCH)):
            _write(batch, wanted, into, done, heard, dry_run=dry_run)
            read += len(batch)
            if not dry_run:
                _note(note, read)
            if tell is not None:
                tell(read)
    if not dry_run:
        note.unlink(missing_ok=True)
    return done


def _rows(wanted: Wanted, report: Report) -> Iterator[tuple[str, Any]]:
    try:
        yield from read_table(wanted.file, wanted.types, report, wanted.mapping)
    except OSError as error:
        raise InputError("the people", str(wanted.file), reason_of(error)) from None


def _write(
    batch: list[tuple[str, Any]], wanted: Wanted, into: Importing, done: Imported, report: Report, *, dry_run: bool
) -> None:
    given: dict[str, dict[str, Any]] = {}
    for user, fields in batch:
        known = {name: value for name, value in fields.items() if value is not None}
        if not isinstance(fields, Closed) and WHITE in (known.get("lists") or ()):
            report(user, "lists: white is given by people (kairos list add), never by an import; it is left out")
        given[user] = {**given.get(user, {}), **known}
    origin = f"import {wanted.source} {day_of(wanted.now)}"
    for change in into.apply(given, origin, dry_run=dry_run):
        done.users += 1
        done.new += change.new
        done.unchanged += not change.fields
        done.fields.update(change.fields)
        done.kept.update(change.kept)


def _fingerprint(wanted: Wanted) -> str:
    """Of the file's bytes and of what is made of them."""
    digest = hashlib.blake2b(repr((sorted(wanted.mapping.items()), wanted.source)).encode(), digest_size=16)
    try:
        with wanted.file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise InputError("the people", str(wanted.file), reason_of(error)) from None
    return digest.hexdigest()


def _read(note: Path) -> int:
    return int(msgspec.json.decode(note.read_bytes())["rows"]) if note.exists() else 0


def _note(note: Path, rows: int) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    draft = note.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode({"rows": rows}))
    os.replace(draft, note)
