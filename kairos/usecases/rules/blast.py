"""A broadcast before it is one: looked through, counted, beside what else goes out then."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kairos.engine.rule.blast import Blast, blast_files
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.scalars import NAME
from kairos.usecases.errors import AskError
from kairos.usecases.rules.lint import lint_with, need_folder, rule_files
from kairos.usecases.scheduler.foresee import LONGEST, Counted, SlotToCome, count, slots_to_come
from kairos.usecases.scheduler.ports import People

BESIDE = 12 * 3_600_000
"""So long (ms) before and after a broadcast another one counts as beside it."""


class Reached(msgspec.Struct, frozen=True):
    """`slots`: of the broadcast, in local time. `people`: for whom one is still to come. `beside`: of other activities,
    at that time."""

    counted: Counted
    slots: Sequence[SlotToCome]
    people: int
    beside: Sequence[SlotToCome]


def missing(blast: Blast) -> list[str]:
    """Answers that it cannot do without."""
    needed = ["name", "theme", "channel", "at"] + ([] if blast.template else ["text"])
    needed += ["goal_within"] if blast.goal else ["goal"] if blast.goal_within else []
    return [name for name in needed if not getattr(blast, name)]


def look_through(folder: Path, blast: Blast, now: int) -> Loaded:
    """Rules and findings of the folder with this broadcast. Raises NotThereError, and AskError where a name is none or
    is taken."""
    need_folder(folder)
    for word in (blast.name, blast.theme, blast.channel):
        if not re.fullmatch(NAME, word):
            raise AskError(f"expected names of a-z, 0-9 and _, found {word!r}")
    made = blast_files(blast)
    if taken := sorted(rule_files(folder).keys() & made.keys()):
        raise AskError(f"{', '.join(taken)}: is there already; the broadcast needs another name")
    return lint_with(folder, {path: text.encode("utf-8", "surrogatepass") for path, text in made.items()}, now)


def reached(rules: RuleSet, name: str, people: People, now: int) -> Reached:
    """Raises PeopleAwayError."""
    slots = slots_to_come(rules, people, now, now + LONGEST, name)
    beside: list[SlotToCome] = []
    if slots:
        first, last = slots[0].first - BESIDE, max(slot.last for slot in slots) + BESIDE
        others = {other: activity for other, activity in rules.activities.items() if other != name}
        beside = slots_to_come(msgspec.structs.replace(rules, activities=others), people, max(first, now), last)
    return Reached(count(rules, name, people, now), slots, sum(slot.users for slot in slots), beside)
