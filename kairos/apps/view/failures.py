"""A failed example, told: a diff of the decisions, and the story behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import msgspec

from kairos.apps.view.terminal import escape, paint
from kairos.engine.decision import Record
from kairos.engine.play.explain import Line
from kairos.engine.play.rehearse import differences
from kairos.engine.play.telling import say_value
from kairos.engine.rule.examples import Expected
from kairos.engine.rule.text.scalars import short_duration
from kairos.usecases.rules.rehearse import Failed

MOST = 3
_SHOWN_FIELDS = ("reason", "channel", "template", "variant", "attempt", "value")


def tell_failures(folder: Path, failed: Sequence[Failed], stream: TextIO) -> Iterator[str]:
    """All of the first MOST, and of the others where they are: one value that changes may fail a dozen."""
    for number, each in enumerate(failed):
        told = tell_failure(folder, each, stream)
        yield told if number < MOST else told.partition("\n")[0]
    if len(failed) > MOST:
        yield f"why the others failed: kairos test {escape(str(folder))}"


def tell_failure(folder: Path, failed: Failed, stream: TextIO) -> str:
    """Several lines: where, what was expected (-) and what came (+), why. `folder`: of the rules."""
    failure, start = failed.failure, failed.start
    example = failure.example
    place = f"{folder / failed.file}:{example.line}: {failed.activity}: {escape(example.name)}"
    lines = [f"{paint('FAILED', 'error', stream)} {place}"]
    lines += [f"    {tell_actual(record, start)}" for record in failure.matched]
    for expected in failure.missing:
        lines.append(paint(f"  - {tell_expected(expected, start)}", "removed", stream))
        if (near := _nearest(expected, failure.extra)) is not None:
            lines.append(f"      the nearest that came differs in {_differences(expected, near, start)}")
    lines += [paint(f"  + {tell_actual(record, start)}", "added", stream) for record in failure.extra]
    for user, story in failure.story.items():
        lines.append(f"  why, for {escape(user)}:")
        lines += [_tell_line(line, start) for line in story]
        if not story:
            lines.append("    none of the events was of interest to the trigger")
    return "\n".join(lines)


def tell_expected(expected: Expected, start: int) -> str:
    fields = [f"{name}: {_value(value)}" for name, value in expected.fields.items()]
    return ", ".join([f"at {_at(expected.at, start)}", expected.outcome, *fields])


def tell_actual(record: Record, start: int) -> str:
    fields = [f"user_id: {record.user_id}"]
    for name in _SHOWN_FIELDS:
        value = getattr(record, name)
        if value is not None and value is not msgspec.UNSET:
            fields.append(f"{name}: {_value(value)}")
    if record.data:
        fields.append(f"data: {_value(record.data)}")
    return escape(", ".join([f"at {_at(record.at, start)}", record.outcome, *fields]))


def _tell_line(line: Line, start: int) -> str:
    until = f" until {_at(line.until, start)}" if line.until is not None else ""
    return f"    {_at(line.at, start):>8}  {escape(line.text)}{until}"


def _nearest(expected: Expected, extra: tuple[Record, ...]) -> Record | None:
    return min(extra, key=lambda record: len(differences(expected, record)), default=None)


def _differences(expected: Expected, record: Record, start: int) -> str:
    told = []
    for name, (wanted, actual) in differences(expected, record).items():
        if name == "at":
            wanted, actual = _at(wanted, start), _at(actual, start)
        told.append(f"{name}: {_value(wanted)} expected, {_value(actual)} came")
    return escape("; ".join(told))


def _at(time: int, start: int) -> str:
    """As it would be written in the example: counted from its start."""
    return short_duration(time - start) if time != start else "0s"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else say_value(value)
