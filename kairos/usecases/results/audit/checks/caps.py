"""No cap overshot: each user's sends are counted anew, in the most obvious way.

A send is judged by what had used the cap up at the moment of its decision: other occurrences with an attempt in the
window that has gone or may have gone. Each counts once, whatever its attempts; of a journey each message counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kairos.engine.policy.spec import Cap, CapRule, Policy
from kairos.engine.rule.journey import slot_of
from kairos.engine.rule.model import Activity
from kairos.engine.rule.text.scalars import short_duration
from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.tell import clock
from kairos.usecases.results.audit.world import UNKNOWN_POLICY, UNKNOWN_VERSION, World

_WEEK = 7 * 86_400_000
_GONE = """
SELECT user_id, occurrence, at, key, activity, version, channel, degraded FROM sends WHERE gone
ORDER BY user_id, at, activity, occurrence, attempt"""


class Attempt(NamedTuple):
    """One that has gone, or may have. `definition` None: no known release has its version."""

    user_id: str
    occurrence: str
    at: int
    key: str
    activity: str
    version: str
    channel: str
    degraded: bool | None
    definition: Activity | None = None

    @property
    def limited_by(self) -> Sequence[str]:
        return self.definition.limits.caps if self.definition else ()

    @property
    def uses_up(self) -> Sequence[str]:
        return self.definition.limits.counts_toward if self.definition else ()


def check(book: Book, world: World, result: Result) -> None:
    users = sends = 0
    gone = (Attempt(*row) for row in book.ask(_GONE))
    for _, attempts in groupby(gone, attrgetter("user_id")):
        mine = [attempt._replace(definition=world.activity(attempt.version)) for attempt in attempts]
        limited = [attempt for attempt in mine if attempt.limited_by]
        judged = [attempt for attempt in limited if world.policies(attempt.at)]
        occurrences = _occurrences(mine)
        for asked in judged:
            _judge(asked, occurrences, world, result)
        users += bool(judged)
        sends += len(judged)
        result.not_judged[f"sends {UNKNOWN_VERSION}"] += sum(attempt.definition is None for attempt in mine)
        result.not_judged[f"sends {UNKNOWN_POLICY}"] += len(limited) - len(judged)
    result.not_judged = +result.not_judged  # without what is 0
    result.examined = {"sends under caps": sends, "users": users}


def _occurrences(attempts: Iterable[Attempt]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(slot_of(attempt.activity, attempt.occurrence), []).append(attempt)
    return found


def _judge(asked: Attempt, occurrences: Mapping[str, Sequence[Attempt]], world: World, result: Result) -> None:
    own = slot_of(asked.activity, asked.occurrence)
    others = [other for name, other in occurrences.items() if name != own]
    overshot = [_overshot(asked, others, policy, world) for policy in world.policies(asked.at)]
    if overshot[0] and all(overshot):
        what, used = overshot[0]
        result.add(what, asked.key, *(slot.key for slot in used))


def _overshot(
    asked: Attempt, others: Sequence[Sequence[Attempt]], policy: Policy, world: World
) -> tuple[str, list[Attempt]] | None:
    """What was overshot, in words, and the sends that had used it up already."""
    if asked.definition is None or world.white(asked.user_id, policy):
        return None
    zone = world.zone(asked.user_id, asked.definition, policy, degraded=bool(asked.degraded))
    for cap in (policy.caps[name] for name in asked.limited_by if name in policy.caps):
        for rule in cap.rules:
            if rule.channel in (None, asked.channel):
                used = [slot for other in others if (slot := _slot(other, asked, cap, rule, zone))]
                if len(used) >= rule.most:
                    return _tell(asked, cap, rule, len(used), zone), used
    return None


def _slot(other: Sequence[Attempt], asked: Attempt, cap: Cap, rule: CapRule, zone: ZoneInfo) -> Attempt | None:
    """The attempt by which this other occurrence counts against the one that asks; None: it does not."""
    counting = (attempt for attempt in other if rule.channel in (None, attempt.channel) and cap.name in attempt.uses_up)
    return next((a for a in counting if _was_before(a, asked, cap) and _in_window(a, asked, rule, zone)), None)


def _was_before(slot: Attempt, asked: Attempt, cap: Cap) -> bool:
    """Within one millisecond the order is not known: any in which all are allowed is good enough."""
    if slot.at != asked.at:
        return slot.at < asked.at
    return cap.name in slot.limited_by and cap.name in asked.uses_up and _place(slot) < _place(asked)


def _place(attempt: Attempt) -> tuple[str, str]:
    return attempt.activity, attempt.occurrence


def _in_window(slot: Attempt, asked: Attempt, rule: CapRule, zone: ZoneInfo) -> bool:
    """Rolling: in (t - D, t]; calendar: on the user's own day, or in the week from Monday."""
    if rule.window == "calendar":
        return _calendar(slot.at, rule, zone) == _calendar(asked.at, rule, zone)
    return asked.at - rule.per < slot.at


def _calendar(time: int, rule: CapRule, zone: ZoneInfo) -> date:
    """The day; of a week its Monday."""
    day = datetime.fromtimestamp(time / 1000, UTC).astimezone(zone).date()
    return day - timedelta(days=day.weekday()) if rule.per == _WEEK else day


def _tell(asked: Attempt, cap: Cap, rule: CapRule, used: int, zone: ZoneInfo) -> str:
    where = f", on {rule.channel}" if rule.channel else ""
    allowed = f"{rule.most} in {short_duration(rule.per)}, {rule.window}{where}"
    when = clock(asked.at, zone)
    return f"{asked.activity} for {asked.user_id} at {when} is number {used + 1} under cap {cap.name} ({allowed})"
