"""Items of a catalog from a file: CSV, JSON Lines, or a JSON array of objects."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.profiles.table import of_text
from kairos.errors import KairosError

Row = tuple[str, dict[str, Any]]
"""Its place in the file, and its fields; an empty cell is no value."""


class ItemFileError(KairosError):
    """The file cannot be used at all."""


def read_items(path: Path, types: Mapping[str, str], report: Callable[[str, str], None]) -> Iterator[Row]:
    """`types`: field -> type, for cells of CSV. `report` hears (place, why) of a line that is no item.

    Raises ItemFileError and OSError.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        yield from _csv_rows(path, types)
    elif suffix in (".jsonl", ".ndjson"):
        yield from _json_lines(path, report)
    elif suffix == ".json":
        yield from _json_rows(path, report)
    else:
        raise ItemFileError(f"{path}: expected a file that ends with .csv, .jsonl or .json")


def _csv_rows(path: Path, types: Mapping[str, str]) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream, strict=True)
        try:
            for row in reader:
                cells = {name: text for name, text in row.items() if name and isinstance(text, str) and text}
                yield f"line {reader.line_num}", {n: of_text(text, types.get(n)) for n, text in cells.items()}
        except (csv.Error, UnicodeDecodeError) as error:
            raise ItemFileError(f"{path}: line {reader.line_num + 1}: not CSV in UTF-8: {error}") from None


def _json_lines(path: Path, report: Callable[[str, str], None]) -> Iterator[Row]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield f"line {number}", msgspec.json.decode(line, type=dict[str, Any])
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                report(f"line {number}", f"no JSON object: {error}")


def _json_rows(path: Path, report: Callable[[str, str], None]) -> Iterator[Row]:
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ItemFileError(f"{path}: expected a JSON array of objects: {error}") from None
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict):
            yield f"item {number}", row
        else:
            report(f"item {number}", "no JSON object")
