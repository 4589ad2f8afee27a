"""The ledger of delivery: who may call the provider for a key, and what became of it.

One operation: `Change`, "the row that I know becomes this one". It happens only where the row in place is still the
known one, so of two workers one wins, and a worker that is late changes nothing. Whether a call may be made at all is
decided from rows, in `kairos.apps.delivery.verdict`; nothing here knows what a state means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

REOPENED = "replayed"
"""Reason of a failed row that people have opened again: its calls so far do not count."""


class Row(msgspec.Struct, frozen=True):
    """As in `delivery_tables.LEDGER`, which says what the fields mean."""

    key: str
    activity: str
    user_id: str
    occurrence: str
    attempt: int
    channel: str
    state: str
    worker: str
    lease_until: int
    calls: int
    reserved_at: int
    settled_at: int | None = None
    provider_id: str | None = None
    reason: str | None = None


class Call(msgspec.Struct, frozen=True):
    """As in `delivery_tables.CALLS`. Without `ended_at` it is about to begin."""

    key: str
    number: int
    worker: str
    started_at: int
    ended_at: int | None = None
    outcome: str | None = None
    reason: str | None = None


class Change(msgspec.Struct, frozen=True):
    """`before` None: there is no row yet. `call`: one that begins is written only with the change, one that has ended
    in any case, because it is a fact."""

    before: Row | None
    after: Row
    call: Call | None = None


class Ledger(Protocol):
    """Calls block, for as long as a transaction takes. All raise DatabaseAwayError."""

    def apply(self, changes: Sequence[Change]) -> list[Row | None]:
        """All in one transaction. Returns the rows in place afterwards; one that equals `after` was changed."""
        ...

    def find(self, key: str) -> Row | None: ...

    def find_by_provider(self, channel: str, provider_id: str) -> Row | None: ...


def settle(rows: dict[str, Row], changes: Iterable[Change]) -> tuple[list[Row | None], dict[str, Row], list[Call]]:
    """What a transaction does. `rows`: those in place, by key; they are changed as well.

    Returns the row in place after each change, the rows to write, and the calls to write.
    """
    written: dict[str, Row] = {}
    results: list[Row | None] = []
    calls: list[Call] = []
    for change in changes:
        key = change.after.key
        present = rows.get(key)
        if present == change.before and present != change.after:
            rows[key] = written[key] = present = change.after
        won = present == change.after
        if change.call is not None and (won or change.call.ended_at is not None):
            calls.append(change.call)
        results.append(present)
    return results, written, calls
