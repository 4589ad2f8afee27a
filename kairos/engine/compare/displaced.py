"""Which sends took what a refused candidate would have needed: slots of a cap, or units of a budget."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.compare.side import Side
from kairos.engine.compare.verdict import Verdict
from kairos.engine.decision import Record
from kairos.engine.policy.caps import calendar_window
from kairos.engine.policy.spec import CapRule

MOST = 20
"""Sends that are named at most, the latest."""


class Displaced(msgspec.Struct, frozen=True):
    """A send that stands in the way; `at` in epoch ms."""

    activity: str
    user_id: str
    occurrence: str
    at: int


def displaced_by(cause: str, refused: Verdict, side: Side, other: Side) -> list[Displaced]:
    """The sends in the way of `refused` in its own run (`side`), by time; [] where the gate knows nothing of sends."""
    kind, _, name = cause.partition(":")
    held = refused.held_at is not None and refused.held_for == cause
    at = refused.held_at if held and refused.held_at is not None else refused.record.at
    if kind == "cap":
        found = _of_cap(name, refused.record, at, side)
    elif kind == "budget":
        found = _of_budget(refused.record, side, other)
    else:
        return []
    return [Displaced(one.activity, one.user_id, one.occurrence, one.at) for one in found[-MOST:]]


def _of_cap(name: str, refused: Record, at: int, side: Side) -> list[Record]:
    """Sends of this user that the cap's rules still counted. Calendar days are those of the policy's zone."""
    cap = side.rules.policy.caps.get(name)
    if cap is None:
        return []
    zone = ZoneInfo(side.rules.policy.timezone)
    sends = [
        one
        for one in side.sends.get(refused.user_id, ())
        if one.occurrence != refused.occurrence and name in _counted(one, side)
    ]
    return [one for one in sends if any(_counts(rule, one, at, zone) for rule in cap.rules)]


def _counted(record: Record, side: Side) -> Iterable[str]:
    activity = side.rules.activities.get(record.activity)
    return activity.limits.counts_toward if activity else ()


def _counts(rule: CapRule, sent: Record, now: int, zone: ZoneInfo) -> bool:
    if rule.channel not in (None, sent.channel):
        return False
    start = calendar_window(rule.per, now, zone)[0] - 1 if rule.window == "calendar" else now - rule.per
    return start < sent.at <= now


def _of_budget(refused: Record, side: Side, other: Side) -> list[Record]:
    """What took a unit here and not in the other run, before this one asked."""
    extra = side.sends_beyond(other, refused.activity)
    return extra[: bisect_right(extra, refused.at, key=lambda one: one.at)]
