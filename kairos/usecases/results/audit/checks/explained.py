"""Every send decided was delivered, or a final row says why not; and nothing was sent that nobody had decided."""

from __future__ import annotations

from collections import Counter

from kairos.adapters.delivery.tables import FINAL
from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.tell import clock
from kairos.usecases.results.audit.world import GRACE, World

_DAY = 86_400_000
_SENDS = """
SELECT s.key, s.user_id, s.at, s.activity, s.version, s.attempt, s.channel, s.state, d.send_before
FROM sends s LEFT JOIN deliveries d ON d.key = s.key"""
_OTHER_CHANNEL = """
SELECT l.key, l.activity, l.user_id, l.channel, s.channel FROM ledger l JOIN sends s ON s.key = l.key
WHERE NOT EXISTS (
  SELECT 1 FROM decisions d WHERE d.key = l.key AND d.outcome = 'send' AND d.channel = l.channel)"""
_UNASKED = """
SELECT key, activity, user_id, channel, state, reserved_at FROM ledger l
WHERE NOT EXISTS (SELECT 1 FROM sends s WHERE s.key = l.key)"""
_NEVER_CALLED = """
SELECT key, activity, user_id FROM ledger l WHERE state = 'sent' AND NOT EXISTS (
  SELECT 1 FROM calls c WHERE c.key = l.key AND (c.outcome IS NULL OR c.outcome IN ('accepted', 'unknown')))"""
_DENIED = """
SELECT key, activity, user_id, channel, state FROM ledger l
WHERE state IN ('retry', 'expired', 'recalled', 'released', 'failed')
  AND EXISTS (SELECT 1 FROM calls c WHERE c.key = l.key AND c.outcome = 'accepted')"""
_FAILED_AFTER_UNKNOWN = """
SELECT key, activity, user_id FROM ledger l
WHERE state = 'failed' AND EXISTS (
  SELECT 1 FROM calls c WHERE c.key = l.key AND (c.outcome IS NULL OR c.outcome = 'unknown'))"""


def check(book: Book, world: World, result: Result) -> None:
    states: Counter[str] = Counter()
    for key, user, at, activity, version, attempt, channel, state, send_before in book.ask(_SENDS):
        if state in FINAL:
            states[state] += 1
            continue
        until = send_before if send_before is not None else at + _longest(world, version)
        if _may_wait(world, channel, until):
            states["pending"] += 1
        else:
            fate = "was never reserved" if state is None else f"is still '{state}'"
            what = f"{activity} for {user}, attempt {attempt} on {channel}, {fate}"
            result.add(f"{what}: it was to be sent until {clock(until)}", key)
    _ledger(book, world, result)
    _unasked(book, world, result)
    result.examined = {"sends decided": book.number("SELECT count(*) FROM sends"), **dict(sorted(states.items()))}


def _longest(world: World, version: str) -> int:
    """How long after its decision it may be sent at the most, where the delivery itself is not there to say it."""
    definition = world.activity(version)
    return (definition.limits.send_before if definition else None) or _DAY


def _may_wait(world: World, channel: str, until: int) -> bool:
    return world.now is not None and (world.now <= until + GRACE or channel in world.paused)


def _ledger(book: Book, world: World, result: Result) -> None:
    """Rows that do not agree with their calls, or with what was decided."""
    for key, activity, user, sent_on, decided_for in book.ask(_OTHER_CHANNEL):
        result.add(f"{activity} for {user} was decided for {decided_for} and went to {sent_on}", key)
    for key, activity, user in book.ask(_NEVER_CALLED):
        result.add(f"{activity} for {user} counts as sent, but no call to the provider can have sent it", key)
    for key, activity, user, channel, state in book.ask(_DENIED):
        # Where it is sent again, an earlier call's answer may come after its row was given up; but never as failed.
        if state == "failed" or not world.resends(channel):
            result.add(f"{activity} for {user} was accepted by the provider, but counts as '{state}'", key)
    for key, activity, user in book.ask(_FAILED_AFTER_UNKNOWN):
        result.add(f"{activity} for {user} counts as failed, although nobody knows what became of a call", key)


def _unasked(book: Book, world: World, result: Result) -> None:
    """Rows that no decision stands behind. A very young one may be seen before its decision."""
    for key, activity, user, channel, state, reserved_at in book.ask(_UNASKED):
        if reserved_at < world.complete_since:
            result.not_judged["ledger rows older than the oldest decision kept"] += 1
        elif reserved_at >= world.complete_until - GRACE:
            result.not_judged["ledger rows whose decision may not be committed yet"] += 1
        elif world.now is not None and reserved_at >= world.now - GRACE:
            result.not_judged["ledger rows so young that their decision may not be visible yet"] += 1
        else:
            result.add(f"nobody decided to send {activity} to {user} on {channel}: the ledger says '{state}'", key)
