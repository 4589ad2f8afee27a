"""What a run of the job left in its output folder, for people: decisions, example messages, dead letters, files.

The folder has JSON lines for each topic, `decisions`, `deliveries.<channel>`, `dead-letters`: one file `<topic>.jsonl`,
or the part files of Flink's sink in `parts/topic=<topic>/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kairos.engine.decision import Record

DECISIONS = "decisions"
DELIVERIES = "deliveries."
DEAD_LETTERS = "dead-letters"

_T = TypeVar("_T")


class ReportError(Exception):
    """The folder cannot be read as the output of a run; the message names the place."""


class Message(msgspec.Struct):
    """What a report needs of a delivery. A recall, which is in the same topic, has no `values`."""

    activity: str
    user_id: str
    channel: str
    at: int
    template: str | None = None
    address: str | None = None
    values: dict[str, Any] | None = None


class Letter(msgspec.Struct):
    """What a report needs of a dead letter."""

    reason: str
    message: str = ""
    origin: str = ""


@dataclass
class Tally:
    """One activity's decisions: outcome -> what of (channel of a send, else reason, else "") -> how many."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        what = record.channel if record.outcome == "send" else record.reason
        self.outcomes.setdefault(record.outcome, Counter())[what or ""] += 1

    def update(self, more: Tally) -> None:
        for outcome, counts in more.outcomes.items():
            self.outcomes.setdefault(outcome, Counter()).update(counts)


@dataclass
class Report:
    """`examples`: the first message of each activity and channel. `letters`: reason -> (how many, the first of them).

    `files`: topic -> (where, how many records).
    """

    tallies: dict[str, Tally] = field(default_factory=dict)
    examples: dict[tuple[str, str], Message] = field(default_factory=dict)
    letters: dict[str, tuple[int, Letter]] = field(default_factory=dict)
    files: dict[str, tuple[Path, int]] = field(default_factory=dict)


def read(folder: Path) -> Report:
    """Raises ReportError. A record that repeats, after a restore, counts once."""
    topics = _topics(folder)
    if DECISIONS not in topics:
        raise ReportError(f"{folder}: no {DECISIONS} here; the output folder of a run is expected")
    report, seen = Report(), set()
    for topic, path in topics.items():
        report.files[topic] = (path, sum(1 for _ in _lines(path)))
        if topic == DECISIONS:
            for record in _decoded(path, Record):
                if record.key not in seen:
                    seen.add(record.key)
                    report.tallies.setdefault(record.activity, Tally()).add(record)
        elif topic == DEAD_LETTERS:
            for letter in _decoded(path, Letter):
                count, first = report.letters.get(letter.reason, (0, letter))
                report.letters[letter.reason] = (count + 1, first)
        else:
            for message in _decoded(path, Message):
                if message.values is not None:
                    report.examples.setdefault((message.activity, message.channel), message)
    return report


def _topics(folder: Path) -> dict[str, Path]:
    """What lies in the folder itself goes before what Flink wrote under `parts`."""
    entries = [path for place in (folder / "parts", folder) if place.is_dir() for path in sorted(place.iterdir())]
    named = {path.name.removeprefix("topic=").removesuffix(".jsonl"): path for path in entries}
    wanted = (name for name in named if name in (DECISIONS, DEAD_LETTERS) or name.startswith(DELIVERIES))
    return {name: named[name] for name in sorted(wanted)}


def _lines(path: Path) -> Iterator[tuple[Path, int, bytes]]:
    """File, line number from 1, line. What Flink has not finished writing begins with a dot and is left out."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.is_file() and not file.name.startswith((".", "_")):
            with file.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if line.strip():
                        yield file, number, line


def _decoded(path: Path, shape: type[_T]) -> Iterator[_T]:
    decode = msgspec.json.Decoder(shape).decode
    for file, number, line in _lines(path):
        try:
            yield decode(line)
        except ValueError as error:  # of msgspec, and of broken UTF-8
            raise ReportError(f"{file}:{number}: not a record of this topic: {error}") from None
