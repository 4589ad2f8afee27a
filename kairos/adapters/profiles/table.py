"""Profiles from a table, row by row: CSV, Parquet, or the JSON file that `kairos simulate` takes.

A CSV or Parquet file has a column `user_id` and one for each field; an empty cell is no value. A field is of the type
that profile.yaml declares. A row in which anything is wrong is left out as a whole, so that who it is about keeps what
was known before: half a profile might have lost an opt-out. What it says of consent counts all the same.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kairos.adapters.profiles.file import ProfileFileError, decode_table
from kairos.engine.profile.consent import NAMES, UNREADABLE, field_meant, names_in
from kairos.engine.profile.fields import OWN_FIELDS, problem_of
from kairos.engine.profile.topics import FIELD, IMPORT, LAST, problem_of_consents, read_word

USER = "user_id"
Types = Mapping[str, str]
Report = Callable[[str, str], None]
NO_MAPPING: Mapping[str, str] = {}


class Row(NamedTuple):
    """`place`: the line in the file, or where in it. `fields`: without those that are empty."""

    place: str
    user_id: Any
    fields: dict[str, Any]


class Closed(dict[str, list[str]]):
    """Of a row that is left out: names for `unsubscribed` and `lists`, to be added to those that are known; under
    `consents` the topics that it says no to."""


class BadRowError(Exception):
    """The message says which field, and what was expected."""


def read_table(
    path: Path, types: Types | None, report: Report, mapping: Mapping[str, str] = NO_MAPPING
) -> Iterator[tuple[str, Any]]:
    """(user, fields), a row at a time; `report` hears (place, what is wrong) of rows and columns that are left out.

    Of a row that is left out come `Closed` fields, where it closes anything.
    `types`: what profile.yaml declares; None: there is none, and any field is taken as it is. `mapping`: column ->
    field (or user_id), and other columns are none of ours; empty: columns are named as fields are. Raises
    ProfileFileError and OSError.
    """
    known = None if types is None else {**OWN_FIELDS, **types}
    for row in _reader(path)(path, known, report, mapping):
        try:
            yield _checked(row, known)
        except BadRowError as error:
            closed = _closed(row)
            kept = f", but for {' and '.join(sorted(closed))}" if closed else ""
            report(row.place, f"{error}; the row is left out{kept}")
            if closed:
                yield row.user_id, closed


def fields_of(names: Iterable[str], mapping: Mapping[str, str]) -> list[str]:
    """What each column is about; "": nothing. Raises ProfileFileError."""
    names = list(names)
    found = [mapping.get(name.strip("\ufeff \t"), "") if mapping else field_meant(name) for name in names]
    meant = [field for field in found if field]
    if len(set(meant)) < len(meant):
        raise ProfileFileError("a column occurs twice")
    missing = sorted(name for name, field in mapping.items() if field not in meant)
    if missing:
        raise ProfileFileError(f"there is no column '{missing[0]}'; there are {', '.join(names) or 'none'}")
    return found


def columns(names: Collection[str], known: Types | None, report: Report, place: str) -> set[str]:
    """Those that are loaded: what nobody has declared nobody can read, and it might be anybody's secret."""
    if USER not in names:
        raise ProfileFileError(f"there is no column '{USER}'; there are {', '.join(names) or 'none'}")
    strange = [name for name in names if name != USER and known is not None and name not in known]
    for name in strange:
        report(place, f"column '{name}' is not declared in profile.yaml; it is left out")
    return set(names) - {USER, *strange}


def _reader(path: Path) -> Callable[[Path, Types | None, Report, Mapping[str, str]], Iterator[Row]]:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _csv_rows
    if suffix == ".parquet":
        from kairos.adapters.profiles.parquet import parquet_rows  # an extra: only who has such files needs it

        return parquet_rows
    if suffix == ".json":
        return _json_rows
    raise ProfileFileError("expected a file that ends with .csv, .parquet or .json")


def _csv_rows(path: Path, known: Types | None, report: Report, mapping: Mapping[str, str]) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream, strict=True)
        try:
            names = fields_of(next(reader, []), mapping)
            wanted = columns([name for name in names if name], known, report, "1")
            before = reader.line_num
            for cells in reader:
                place, before = str(before + 1), reader.line_num
                if not cells:
                    continue
                if len(cells) != len(names):
                    report(place, f"{len(cells)} cells where there are {len(names)} columns; the row is left out")
                    continue
                row = dict(zip(names, cells, strict=True))
                fields = {name: of_text(row[name], (known or {}).get(name)) for name in wanted if row[name]}
                yield Row(place, row[USER], fields)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ProfileFileError(f"line {reader.line_num + 1}: not CSV in UTF-8: {error}") from None


def _json_rows(path: Path, known: Types | None, report: Report, mapping: Mapping[str, str]) -> Iterator[Row]:
    told: set[str] = set()
    for user, profile in decode_table(path.read_bytes()).items():
        if not isinstance(profile, dict):
            report(user, "an object is expected; the row is left out")
            continue
        meant = {name: mapping.get(name, "") if mapping else field_meant(name) for name in profile}
        if len({name for name in meant.values() if name}) < sum(map(bool, meant.values())):
            raise ProfileFileError(f"{user}: a field occurs twice")
        profile = {meant[name]: value for name, value in profile.items() if meant[name]}
        strange = set() if known is None else profile.keys() - known.keys()
        for name in sorted(strange - told):
            report(user, f"field '{name}' is not declared in profile.yaml; it is left out, everywhere")
        told |= strange
        fields = {name: value for name, value in profile.items() if value is not None and name not in strange}
        yield Row(user, user, fields)


def of_text(text: str, type_: str | None) -> Any:
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
    fields = {name: _consent(name, value) for name, value in row.fields.items()}
    for name, value in fields.items():
        if problem := problem_of(name, value, known):
            raise BadRowError(f"{name}: {problem}")
    return row.user_id, fields


def _consent(field: str, value: Any) -> Any:
    """`sms`, or `true` for all: whatever can be read becomes the list that it means, or the words on topics."""
    if field == FIELD and isinstance(value, dict) and not problem_of_consents(value):
        return {topic: _word(word) for topic, word in value.items()}
    names = names_in(field, value) if field in NAMES else None
    return value if names is None else list(names)


def _word(value: Any) -> dict[str, Any]:
    """As the engine reads it, with where it comes from. Without a time a yes is older than all, a no counts at once."""
    word, given = read_word(value), value.get("by") if isinstance(value, dict) else None
    told: dict[str, Any] = {"on": word.on, "by": given if isinstance(given, str) else IMPORT}
    return told if word.at in (0, LAST) else {**told, "at": word.at}


def _closed(row: Row) -> Closed:
    """The opt-outs and the black list of a row that is left out; what cannot be read there closes, too."""
    if not isinstance(row.user_id, str) or not row.user_id:
        return Closed()
    said = {field: names_in(field, row.fields.get(field)) for field in NAMES}
    closing = {field: [UNREADABLE] if names is None else [name for name in names if name != "white"]
               for field, names in said.items()}  # fmt: skip
    closing[FIELD] = _refused(row.fields.get(FIELD))
    return Closed({field: names for field, names in closing.items() if names})


def _refused(value: Any) -> list[str]:
    """The topics that a row says no to; all there are, where nobody can read it."""
    if value is None:
        return []
    if not isinstance(value, dict):
        return [UNREADABLE]
    return [topic for topic, word in value.items() if not read_word(word).on]
