"""No message sent twice: no call after one that was taken, or may have been; no call without its reservation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.world import World

_CALLS = """
SELECT c.key, c.number, c.outcome, c.started_at, c.ended_at,
  (SELECT channel FROM ledger l WHERE l.key = c.key) AS channel
FROM calls c ORDER BY c.key, c.number"""
_TWICE = """
SELECT activity, user_id, occurrence, attempt, count(*), min(key), max(key) FROM ledger
GROUP BY activity, user_id, occurrence, attempt HAVING count(*) > 1"""

_MISCOUNTED = """
SELECT key, calls, (SELECT count(*) FROM calls c WHERE c.key = l.key) AS known FROM ledger l WHERE calls <> known"""


class _Called(NamedTuple):
    key: str
    number: int
    outcome: str | None
    started_at: int
    ended_at: int | None
    channel: str | None


def check(book: Book, world: World, result: Result) -> None:
    result.examined = {
        "ledger rows": book.number("SELECT count(*) FROM ledger"),
        "calls": book.number("SELECT count(*) FROM calls"),
    }
    for key, found in groupby(book.ask(_CALLS), itemgetter(0)):
        calls = [_Called(*values) for values in found]
        channel = calls[0].channel
        if channel is None:
            result.add("a provider was called without a row in the ledger", key)
        elif problem := _again(calls, world.resends(channel)):
            result.add(f"{problem} ({channel})", key)
    for key, true_key in book.ask("SELECT key, true_key FROM ledger WHERE key <> true_key"):
        result.add(f"a ledger row is filed under the key of something else: its own is {true_key}", key, true_key)
    for key, counted, known in book.ask(_MISCOUNTED):
        result.add(f"the ledger counts {counted} calls, {known} are written down", key)
    for activity, user, occurrence, attempt, number, first, last in book.ask(_TWICE):
        what = f"{number} ledger rows for attempt {attempt} of {activity} {occurrence} for {user}"
        result.add(what, *dict.fromkeys((first, last)))


def _again(calls: Sequence[_Called], resends: bool) -> str | None:
    """Of the calls of one key, in their order: the first that should not have been."""
    for place, after in enumerate(calls):
        for before in calls[:place]:
            if before.outcome == "accepted" and (not resends or _known(before, after)):
                return f"call {after.number} after call {before.number} had been accepted"
            if before.outcome in (None, "unknown") and not resends:
                return f"call {after.number} although nobody knew what had become of call {before.number}"
    return None


def _known(before: _Called, after: _Called) -> bool:
    """Had the one ended when the other began? Until then a channel that resends rightly takes it for lost."""
    return before.ended_at is not None and before.ended_at <= after.started_at
