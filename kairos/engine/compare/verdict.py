"""From the records of one run to its verdicts: what became of each attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from kairos.engine.decision import Record

PartOf = Callable[[Record], str]
"""Which value of `per` a record is about, where its first event has several; else ""."""
CONTACTS = ("send", "match")
"""Outcomes by which somebody is contacted, or a watch has matched."""


class Verdict(msgspec.Struct, frozen=True):
    """An attempt's first record that is no `hold`, or its hold where none followed.

    `held_for` is the reason of its first hold and `held_at` that hold's time, None where it was never held. `part`: the
    value of `per`, where the event that began the match has several.
    """

    record: Record
    held_for: str | None = None
    held_at: int | None = None
    part: str = ""

    @property
    def contacts(self) -> bool:
        return self.record.outcome in CONTACTS

    @property
    def attempt(self) -> int:
        return self.record.attempt or 1


def verdicts(records: Iterable[Record], part_of: PartOf = lambda _record: "") -> list[Verdict]:
    """One verdict an attempt, in the order in which the attempts first appear."""
    found: dict[tuple[str, str, str, int], Verdict] = {}
    for record in records:
        key = (record.activity, record.user_id, record.occurrence, record.attempt or 1)
        known = found.get(key)
        if known is None:
            held_for, held_at = (record.reason, record.at) if record.outcome == "hold" else (None, None)
            found[key] = Verdict(record, held_for, held_at, part_of(record))
        elif known.record.outcome == "hold" and record.outcome != "hold":
            found[key] = Verdict(record, known.held_for, known.held_at, known.part)
    return list(found.values())
