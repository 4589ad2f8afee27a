"""No cap overshot: each user's sends are counted anew, in the most obvious way.

A send is judged by what other occurrences had used up at the moment of its decision. An occurrence uses one slot up,
from its first attempt on; where a fallback was held before anything of it had gone, from the attempt after the hold on,
because a hold reserves nothing. An occurrence of which nothing has gone uses nothing up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kairos.apps.audit.book import Book
from kairos.apps.audit.result import Result
from kairos.apps.audit.tell import clock, span
from kairos.apps.audit.world import World
from kairos.engine.policy.spec import Cap, CapRule, Policy
from kairos.engine.rule.model import Activity

_WEEK = 7 * 86_400_000
_USERS = """
SELECT user_id, occurrence, attempt, at, key, activity, version, channel, gone FROM sends
UNION ALL
SELECT user_id, occurrence, attempt, at, key, activity, version, NULL, 0 FROM decisions
  WHERE outcome = 'hold' AND attempt > 1
ORDER BY user_id, occurrence, attempt, at"""


class Attempt(NamedTuple):
    """`channel` None: a hold before this attempt. `definition` None: no known release has its version."""

    user_id: str
    occurrence: str
    attempt: int
    at: int
    key: str
    activity: str
    version: str
    channel: str | None
    gone: bool
    definition: Activity | None = None

    @property
    def limited_by(self) -> Sequence[str]:
        return self.definition.limits.caps if self.definition else ()

    @property
    def uses_up(self) -> Sequence[str]:
        return self.definition.limits.counts_toward if self.definition else ()


@dataclass
class Occurrence:
    """Its attempts and the holds of its fallbacks, in their order."""

    attempts: list[Attempt] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)

    def slot(self, channel: str | None) -> Attempt | None:
        """The attempt whose time its slot has, among those on the channel (None: on any). None: it uses none up."""
        gone = [attempt for attempt in self.attempts if attempt.gone]
        if not any(channel in (None, attempt.channel) for attempt in gone):
            return None
        freed = max((hold for hold in self.holds if hold <= gone[0].attempt), default=0)
        return next(a for a in self.attempts if a.attempt >= freed and channel in (None, a.channel))


def check(book: Book, world: World, result: Result) -> None:
    users = sends = 0
    for _, rows in groupby(book.ask(_USERS), itemgetter(0)):
        occurrences = _occurrences(rows, world)
        gone = [attempt for each in occurrences.values() for attempt in each.attempts if attempt.gone]
        result.not_judged["sends of a version that no known release has"] += sum(not a.definition for a in gone)
        limited = [attempt for attempt in gone if attempt.limited_by]
        for asked in sorted(limited, key=lambda attempt: attempt.at):
            _judge(asked, occurrences, world, result)
        users += bool(limited)
        sends += len(limited)
    result.not_judged = +result.not_judged
    result.examined = {"sends under caps": sends, "users": users}


def _occurrences(rows: Iterator[tuple[object, ...]], world: World) -> dict[str, Occurrence]:
    found: dict[str, Occurrence] = {}
    for row in rows:
        attempt = Attempt(*row)  # type: ignore[arg-type]
        occurrence = found.setdefault(attempt.occurrence, Occurrence())
        if attempt.channel is None:
            occurrence.holds.append(attempt.attempt)
        else:
            occurrence.attempts.append(attempt._replace(definition=world.activity(attempt.version)))
    return found


def _judge(asked: Attempt, occurrences: Mapping[str, Occurrence], world: World, result: Result) -> None:
    others = [other for name, other in occurrences.items() if name != asked.occurrence]
    overshot = [_overshot(asked, others, policy, world) for policy in world.policies(asked.at)]
    if overshot[0] and all(overshot):
        what, slots = overshot[0]
        result.add(what, asked.key, *(slot.key for slot in slots))


def _overshot(
    asked: Attempt, others: Sequence[Occurrence], policy: Policy, world: World
) -> tuple[str, list[Attempt]] | None:
    """What was overshot, in words, and the sends that had used it up already."""
    if asked.definition is None or world.white(asked.user_id, policy):
        return None
    zone = world.zone(asked.user_id, asked.definition, policy)
    for cap in (policy.caps[name] for name in asked.limited_by if name in policy.caps):
        for rule in cap.rules:
            if rule.channel in (None, asked.channel):
                used = [s for other in others if (s := other.slot(rule.channel)) and _counts(s, asked, cap, rule, zone)]
                if len(used) >= rule.most:
                    return _tell(asked, cap, rule, len(used), zone), used
    return None


def _counts(slot: Attempt, asked: Attempt, cap: Cap, rule: CapRule, zone: ZoneInfo) -> bool:
    """Does this slot count against the one that asks? Rolling: in (t - D, t]; calendar: on the user's day, or week."""
    if cap.name not in slot.uses_up or not _was_before(slot, asked, cap):
        return False
    if rule.window == "calendar":
        return _calendar(slot.at, rule, zone) == _calendar(asked.at, rule, zone)
    return asked.at - rule.per < slot.at


def _was_before(slot: Attempt, asked: Attempt, cap: Cap) -> bool:
    """Within one millisecond the order is not known: any in which all are allowed is good enough."""
    if slot.at != asked.at:
        return slot.at < asked.at
    return cap.name in slot.limited_by and cap.name in asked.uses_up and _place(slot) < _place(asked)


def _place(attempt: Attempt) -> tuple[str, str]:
    return attempt.activity, attempt.occurrence


def _calendar(time: int, rule: CapRule, zone: ZoneInfo) -> date:
    """The user's day; of a week its Monday."""
    day = datetime.fromtimestamp(time / 1000, UTC).astimezone(zone).date()
    return day - timedelta(days=day.weekday()) if rule.per == _WEEK else day


def _tell(asked: Attempt, cap: Cap, rule: CapRule, used: int, zone: ZoneInfo) -> str:
    allowed = f"{rule.most} in {span(rule.per)}, {rule.window}" + (f", on {rule.channel}" if rule.channel else "")
    return (
        f"{asked.activity} for {asked.user_id} at {clock(asked.at, zone)} is number {used + 1} under cap {cap.name} "
        f"({allowed})"
    )
