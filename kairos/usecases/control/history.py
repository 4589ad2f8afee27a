"""`kairos releases`, `diff`, `history`: what was published, and what became of one activity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.approvals import Approvals
from kairos.adapters.control.database import Control
from kairos.adapters.rules.history import ReleaseRow, release_rows
from kairos.engine.rule.changes.semantic_diff import Difference, differences
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from kairos.engine.rule.workflow.subjects import Subject, meaning_of, texts_of
from kairos.usecases.errors import NotThereError


class Happened(msgspec.Struct, frozen=True):
    """`at`: epoch ms. `what`: published | removed | submitted | approved | rejected | paused | live | ended."""

    at: int
    who: str
    what: str
    more: str = ""


def releases(store: str) -> Sequence[ReleaseRow]:
    """In the order of their numbers; a folder knows its newest only. Raises RuleStoreError."""
    return release_rows(store)


def repeated(rows: Sequence[ReleaseRow]) -> dict[int, int]:
    """Number -> the first release with the same content, of those that publish once more what an earlier one had."""
    first: dict[bytes, int] = {}
    same = {}
    for row in rows:
        if row.release is not None:
            content = hashlib.sha256(msgspec.msgpack.encode(row.release.rules, order="deterministic")).digest()
            known = first.setdefault(content, row.number)
            if known != row.number:
                same[row.number] = known
    return same


def release(store: str, number: int) -> Release:
    """The release with this number. Raises NotThereError, RuleStoreError."""
    return release_in(releases(store), number)


def release_in(rows: Sequence[ReleaseRow], number: int) -> Release:
    """Decodes no other. Raises NotThereError."""
    found = next((row.release for row in rows if row.number == number), None)
    if found is None:
        known = f"there are {rows[0].number} to {rows[-1].number}" if rows else "nothing is published"
        raise NotThereError(f"the rule store has no release {number} that can be read; {known}")
    return found


def diff(store: str, one: int, other: int) -> list[Difference]:
    """The differences of two releases, field by field. Raises NotThereError, RuleStoreError."""
    return differences(release(store, one).rules, release(store, other).rules)


class Changed(msgspec.Struct, frozen=True):
    """What of an activity release `number` made other than it was in release `before`."""

    before: int
    number: int
    differences: list[Difference]


def changed(store: str, activity: str, number: int | None = None) -> Changed | None:
    """By this release, None: by the newest that changed it. None: it did not, or the store knows no release before.

    Raises RuleStoreError."""
    rows = [row for row in release_rows(store) if number is None or row.number <= number]
    known = ((row.number, row.release.rules) for row in reversed(rows) if row.release is not None)
    for (after, new), (before, old) in pairwise(known):
        if number not in (None, after):
            return None
        subject = Subject(activity, "", "", {}, texts_of(activity, old, new))
        found = [each for each in differences(old, new) if subject.has(each.field)]
        if found:
            return Changed(before, after, found)
    return None


def history(store: str, activity: str) -> list[Happened]:
    """All that is known of an activity or journey, oldest first. Raises NotThereError, RuleStoreError."""
    with Control(store) as control:
        turns, votes = ActivityStates(control).history(activity), Approvals(control).of([activity])
    found = list(_published(store, activity))
    found += [Happened(t.since, t.by, t.state, t.reason) for t in turns]
    for vote in votes:
        found.append(Happened(vote.requested_at, vote.requested_by, "submitted", f"for {vote.step}"))
        if vote.decision is not None and vote.decided_at is not None:
            more = f"{vote.step}{f': {vote.comment}' if vote.comment else ''}"
            found.append(Happened(vote.decided_at, vote.decided_by or "", vote.decision, more))
    if not found:
        raise NotThereError(f"nothing is known of '{activity}'")
    return sorted(set(found), key=lambda each: each.at)


def _published(store: str, activity: str) -> Iterator[Happened]:
    before = ""
    for row in release_rows(store):
        meaning = meaning_of(activity, row.release.rules if row.release is not None else RuleSet())
        if meaning != before:
            yield Happened(row.published_at, row.author, "published" if meaning else "removed", f"release {row.number}")
        before = meaning
