"""Profiles from a table, row by row: CSV, Parquet, or the JSON file that `kairos simulate` takes.

A CSV or Parquet file has a column `user_id` and one for each field; an empty cell is no value. A field is of the type
that profile.yaml declares. A row in which anything is wrong is left out as a whole, so that who it is about keeps what
was known before: half a profile might have lost an opt-out.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kairos.adapters.profile_file import OWN_FIELDS, ProfileFileError, problem_of
from kairos.engine.event_schema import FITS, SAID

USER = "user_id"
Types = Mapping[str, str]


class Row(NamedTuple):
    """`place`: the line in the file, or where in it. `fields`: without those that are empty."""

    place: str
    user_id: Any
    fields: dict[str, Any]


class BadRowError(Exception):
    """The message says which field, and what was expected."""


def read_table(path: Path, types: Types | None, report: Callable[[str, str], None]) -> Iterator[tuple[str, Any]]:
    """(user, fields), a row at a time; `report` hears (place, what is wrong) of rows and columns that are left out.

    `types`: what profile.yaml declares; None: there is none, and any field is taken as it is. Raises ProfileFileError
    and OSError.
    """
    known = None if types is None else {**OWN_FIELDS, **types}
    for row in _reader(path)(path, known, report):
        try:
            yield _checked(row, known)
        except BadRowError as error:
            report(row.place, f"{error}; the row is left out")


def columns(names: Collection[str], known: Types | None, report: Callable[[str, str], None], place: str) -> set[str]:
    """Those that are loaded: what nobody has declared nobody can read, and it might be anybody's secret."""
    if USER not in names:
        raise ProfileFileError(f"there is no column '{USER}'; there are {', '.join(names) or 'none'}")
    strange = [name for name in names if name != USER and known is not None and name not in known]
    for name in strange:
        report(place, f"column '{name}' is not declared in profile.yaml; it is left out")
    return set(names) - {USER, *strange}


def _reader(path: Path) -> Callable[[Path, Types | None, Callable[[str, str], None]], Iterator[Row]]:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _csv_rows
    if suffix == ".parquet":
        from kairos.adapters.profile_parquet import parquet_rows  # an extra: only who has such files needs it

        return parquet_rows
    if suffix == ".json":
        return _json_rows
    raise ProfileFileError("expected a file that ends with .csv, .parquet or .json")


def _csv_rows(path: Path, known: Types | None, report: Callable[[str, str], None]) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream, strict=True)
        try:
            names = next(reader, [])
            if len(set(names)) < len(names):
                raise ProfileFileError("a column occurs twice")
            wanted = columns(names, known, report, "1")
            before = reader.line_num
            for cells in reader:
                place, before = str(before + 1), reader.line_num
                if not cells:
                    continue
                if len(cells) != len(names):
                    report(place, f"{len(cells)} cells where there are {len(names)} columns; the row is left out")
                    continue
                row = dict(zip(names, cells, strict=True))
                fields = {name: _of_text(row[name], (known or {}).get(name)) for name in wanted if row[name]}
                yield Row(place, row[USER], fields)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ProfileFileError(f"line {reader.line_num + 1}: not CSV in UTF-8: {error}") from None


def _json_rows(path: Path, known: Types | None, report: Callable[[str, str], None]) -> Iterator[Row]:
    try:
        table = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise ProfileFileError(f"not JSON: {error}") from None
    if not isinstance(table, dict):
        raise ProfileFileError("an object is expected, user id -> profile")
    told: set[str] = set()
    for user, profile in table.items():
        if not isinstance(profile, dict):
            report(user, "an object is expected; the row is left out")
            continue
        strange = set() if known is None else profile.keys() - known.keys()
        for name in sorted(strange - told):
            report(user, f"field '{name}' is not declared in profile.yaml; it is left out, everywhere")
        told |= strange
        fields = {name: value for name, value in profile.items() if value is not None and name not in strange}
        yield Row(user, user, fields)


def _of_text(text: str, type_: str | None) -> Any:
    """What a cell means where its column is of this type; what it cannot mean stays text, and does not fit."""
    if type_ in (None, "string", "date") or (type_ == "time" and not text.lstrip("-").isdecimal()):
        return text
    try:
        return msgspec.json.decode(text.lower() if type_ == "boolean" else text)
    except ValueError:
        return text


def _checked(row: Row, known: Types | None) -> tuple[str, dict[str, Any]]:
    if not isinstance(row.user_id, str) or not row.user_id:
        raise BadRowError(f"'{USER}' must be text")
    for name, value in row.fields.items():
        type_ = (known or {}).get(name)
        problem = problem_of(name, value)
        if not problem and type_ is not None and not FITS[type_](value):
            problem = f"{SAID[type_]} is expected"
        if problem:
            raise BadRowError(f"{name}: {problem}")
    return row.user_id, row.fields
