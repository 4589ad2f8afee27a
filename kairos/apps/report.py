"""What a run of the job left in its output folder, for people: decisions, example messages, dead letters, files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.run_folder import DEAD_LETTERS, DECISIONS, decoded, lines_of, topics_in
from kairos.engine.decision import Record


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
    """Raises RunFolderError. A record that repeats, after a restore, counts once."""
    report, seen = Report(), set()
    for topic, path in topics_in(folder).items():
        report.files[topic] = (path, sum(1 for _ in lines_of(path)))
        if topic == DECISIONS:
            for _, record in decoded(path, Record):
                if record.key not in seen:
                    seen.add(record.key)
                    report.tallies.setdefault(record.activity, Tally()).add(record)
        elif topic == DEAD_LETTERS:
            for _, letter in decoded(path, Letter):
                count, first = report.letters.get(letter.reason, (0, letter))
                report.letters[letter.reason] = (count + 1, first)
        else:
            for _, message in decoded(path, Message):
                if message.values is not None:
                    report.examples.setdefault((message.activity, message.channel), message)
    return report
