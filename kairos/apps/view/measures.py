"""Answers of `kairos measure` as text: JSON and CSV for programs, tables for people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from kairos.apps.page.numbers import moment
from kairos.apps.page.verdict import beside, made, verdict
from kairos.apps.view.terminal import escape
from kairos.usecases.results.measure import Answer

ROOM = 24
"""Columns that a cell of several lines has at least."""
INDENT = "  "
"""Of a table's lines below what is said of them."""


def as_json(answers: Sequence[Answer]) -> str:
    """A list of objects, one a line."""
    lines = [json.dumps(answer.plain(), ensure_ascii=False, allow_nan=False) for answer in answers]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def as_csv(answers: Sequence[Answer]) -> str:
    """One table: the measure, its kind, then every field that any row has; lists and objects as JSON."""
    fields = list(dict.fromkeys(name for answer in answers for row in answer.rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["measure", "kind", "as_of", *fields])
    for answer in answers:
        head = answer.plain()
        for row in answer.rows:
            values = [cell(row.get(name)) for name in fields]
            writer.writerow([answer.measure, answer.kind, head["as_of"], *values])
    return out.getvalue()


def cell(value: Any) -> Any:
    """As CSV has it."""
    if value is None:
        return ""
    if isinstance(value, bool | list | tuple | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def as_table(answers: Sequence[Answer], width: int | None = None, currency: str = "") -> str:
    """A table a measure, its notes below. Where it is wider than `width`, a field a line. `currency`: of money."""
    parts = []
    for answer in answers:
        kind = f"money in {currency}" if answer.kind == "money" and currency else answer.kind
        rows = [_in_words(answer.kind, row) for row in answer.rows]
        lines = [f"{answer.measure} ({kind}, as of {answer.plain()['as_of']})", *table_lines(rows, width)]
        parts.append("\n".join([*lines, *_notes(answer, width)]) + "\n")
    return "\n".join(parts)


def _in_words(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """For people: what the row says, money to the hundredth, times as such, and nothing twice."""
    if kind == "reach":  # a funnel is a table, and its name says whose it is
        return {name: value for name, value in row.items() if name != "activity"}
    said = verdict(row) if kind == "lift" else ""
    row = {name.removesuffix("_ms"): _moment(value) if name.endswith("_ms") else value for name, value in row.items()}
    if kind == "lift":
        others = "; ".join(f"{other['variant']}: {beside(row, other)}" for other in row.get("beside", ()))
        return {**row, **({"beside": others} if "beside" in row else {}), "says": said}
    if kind != "money":
        return row
    return {**{name: _hundredths(value) for name, value in row.items()}, "says": made(row)}


def _moment(value: int | None) -> str | None:
    return None if value is None else moment(value)


def _hundredths(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_hundredths(part) for part in value]
    return round(value, 2) if isinstance(value, float) else value


def _notes(answer: Answer, width: int | None) -> list[str]:
    notes = [f"note: {note}" for note in answer.notes]
    if width is None:
        return [f"  {note}" for note in notes]
    return [line for note in notes for line in wrap(note, width, initial_indent="  ", subsequent_indent="    ")]


def table_lines(rows: Sequence[dict[str, Any]], width: int | None = None) -> list[str]:
    """Two spaces in, a line a row below that of the fields. Where that is wider than `width`, the last field goes on
    below itself; where there is no room for that, a line a field."""
    fields = list(dict.fromkeys(name for row in rows for name in row))
    if not fields:
        return ["  nothing"]
    cells = [fields, *([_shown(row.get(name)) for name in fields] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(fields))]
    numeric = [all(isinstance(row.get(name), int | float | None) for row in rows) for name in fields]
    if width is not None and 2 * len(fields) + sum(widths) > width:
        room = width - 2 * len(fields) - sum(widths[:-1])
        if room < ROOM or numeric[-1]:
            return _upright(cells, width)
        cells, widths[-1] = [part for line in cells for part in _folded(line, room)], room
    return [
        "  " + "  ".join(_placed(text, w, right) for text, w, right in zip(line, widths, numeric, strict=True)).rstrip()
        for line in cells
    ]


def _folded(line: Sequence[str], room: int) -> Iterator[list[str]]:
    """The line, and lines below it with what is left of its last cell."""
    first, *rest = wrap(line[-1], room) or [""]
    yield [*line[:-1], first]
    for part in rest:
        yield [*[""] * (len(line) - 1), part]


def _upright(cells: Sequence[Sequence[str]], width: int) -> list[str]:
    """The rows one below the other, each field in a line of its own; what is longer goes on below."""
    fields, *rows = cells
    margin = max(map(len, fields)) + 4
    lines = []
    for number, row in enumerate(rows):
        lines += [""] * (number > 0)
        for name, text in zip(fields, row, strict=True):
            parts = wrap(text, max(width - margin, 20)) or [""]
            lines.append(f"  {name.ljust(margin - 4)}  {parts[0]}".rstrip())
            lines += [" " * margin + part for part in parts[1:]]
    return lines


def _placed(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _shown(value: Any) -> str:
    """Numbers with four digits behind the point; what is not known is a dash."""
    if value is None or value in ({}, [], ()):
        return "-"
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4f}".rstrip("0").rstrip(".")
        case list() | tuple():
            return f"[{', '.join(_shown(part) for part in value)}]"
        case dict():
            return ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
    return escape(str(value))
