"""Whether what stands in the control database is what people have done: the log's chain, and every row it speaks of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from kairos.adapters.control.approvals import Approvals, Vote
from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog
from kairos.adapters.database.audit_log import Entry, row_hash
from kairos.adapters.rules.history import ReleaseRow, release_rows
from kairos.usecases.control.publish import content_of

_TURNS = ("pause", "resume", "end")
_KEPT = ("user", "token", "approval")
"""Kinds of subjects that have one row each, which is never deleted."""


class Verified(msgspec.Struct, frozen=True):
    """`head`: the hash of the newest entry: who has noted it elsewhere sees whether the end was cut off."""

    entries: int
    rows: int
    releases: int
    head: str
    problems: list[str]


def verify(store: str) -> Verified:
    """Checks the log's chain and every row against it. Raises RuleStoreError."""
    with Control(store) as control:
        log = AuditLog(control)
        entries, rows, votes = log.entries(), list(log.rows()), Approvals(control).all()
    releases = release_rows(store)
    problems = [
        *_chain(entries),
        *_rows(entries, rows),
        *_releases(entries, releases, keeps_all="://" in store),
        *_votes(votes),
    ]
    return Verified(len(entries), len(rows), len(releases), entries[-1].hash if entries else "", problems)


def _chain(entries: Sequence[Entry]) -> Iterator[str]:
    prev = ""
    for place, entry in enumerate(entries, 1):
        if entry.seq != place:
            yield f"entry {place} of the log is missing"
            return
        if entry.prev != prev:
            yield f"entry {place} of the log does not follow the one before it"
        if entry.computed() != entry.hash:
            yield f"entry {place} of the log was changed: {entry.action} of {entry.subject} by {entry.actor}"
        prev = entry.hash


def _rows(entries: Sequence[Entry], rows: Sequence[tuple[str, str, dict[str, object]]]) -> Iterator[str]:
    last = {entry.subject: entry for entry in entries if entry.after_hash}
    by_number = {entry.seq: entry for entry in entries}
    seen: set[object] = set()
    for table, subject, row in rows:
        turned = table == "activity_states"
        entry = by_number.get(int(str(row["number"]))) if turned else last.get(subject)
        if entry is None or entry.subject != subject:
            yield f"{table}: the row of {subject} stands in no entry of the log"
        elif entry.after_hash != row_hash(row):
            yield f"{table}: the row of {subject} was changed by hand: entry {entry.seq} of the log knows another"
        seen.add(entry.seq if turned and entry is not None else subject)
    for subject, entry in last.items():
        if subject.partition("/")[0] in _KEPT and subject not in seen:
            yield f"the row of {subject} is gone: entry {entry.seq} of the log knows it"
    for entry in entries:
        if entry.action in _TURNS and entry.seq not in seen:
            yield f"activity_states: the {entry.action} of {entry.subject} is gone: entry {entry.seq} knows it"


def _releases(entries: Sequence[Entry], releases: Sequence[ReleaseRow], *, keeps_all: bool) -> Iterator[str]:
    """Those from before there was a log are in none of its entries."""
    known = {entry.subject: entry.after_hash for entry in entries if entry.action == "publish"}
    first = min((int(subject.partition("/")[2]) for subject in known), default=None)
    for release in releases:
        said = known.pop(f"release/{release.number}", None)
        if said is None and first is not None and release.number > first:
            yield f"release {release.number} stands in no entry of the log"
        elif said is not None and release.body is not None and said != row_hash(content_of(release.body)):
            yield f"release {release.number} was changed by hand"
    if keeps_all:
        yield from (f"{subject.replace('/', ' ')} is gone" for subject in known)


def _votes(votes: Sequence[Vote]) -> Iterator[str]:
    for vote in votes:
        if vote.decision is not None and vote.decided_by == vote.requested_by:
            yield f"approval {vote.number}: {vote.decided_by} has decided on their own {vote.subject}"
