"""Frequency caps: which channels still have a slot, and when the next one is free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from kairos.engine.policy.spec import DAY, Cap, CapRule
from kairos.engine.time_zone import epoch_ms, local


class Slot(Protocol):
    """A send that uses up caps; one occurrence takes one slot, whatever its channels."""

    @property
    def at(self) -> int: ...
    @property
    def occurrence(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def caps(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Full:
    """A cap that leaves no slot; `free_at` is when it will, if nothing else is sent."""

    cap: Cap
    free_at: int


def blocking(
    caps: Iterable[Cap], channel: str, occurrence: str, taken: Sequence[Slot], now: int, zone: ZoneInfo
) -> list[Full]:
    """The caps that forbid a send on this channel now, in the order of `caps`."""
    full = []
    for cap in caps:
        free = [
            free_at
            for rule in cap.rules
            if rule.channel in (None, channel)
            and (free_at := _free_at(rule, _times(cap, rule, occurrence, taken), now, zone)) > now
        ]
        if free:
            full.append(Full(cap, max(free)))
    return full


def _times(cap: Cap, rule: CapRule, occurrence: str, taken: Sequence[Slot]) -> list[int]:
    """When slots of this rule were taken, newest first, one an occurrence and none for the asking one itself.

    Of several attempts the last counts: any of them may be the one that went, and a window with a send in it is not
    free.
    """
    last: dict[str, int] = {}
    for slot in taken:
        if slot.occurrence != occurrence and cap.name in slot.caps and rule.channel in (None, slot.channel):
            last[slot.occurrence] = max(slot.at, last.get(slot.occurrence, slot.at))
    return sorted(last.values(), reverse=True)


def _free_at(rule: CapRule, times: list[int], now: int, zone: ZoneInfo) -> int:
    if rule.window == "calendar":
        start, end = calendar_window(rule.per, now, zone)
        return end if sum(start <= at < end for at in times) >= rule.most else now
    if len(times) < rule.most:
        return now
    return max(now, times[rule.most - 1] + rule.per)


def calendar_window(per: int, now: int, zone: ZoneInfo) -> tuple[int, int]:
    """[start, end) of the user's own day, or week from Monday, that `now` lies in."""
    today = local(now, zone).date()
    days = per // DAY
    first = today - timedelta(days=today.weekday()) if days == 7 else today
    return _midnight(first, zone), _midnight(first + timedelta(days=days), zone)


def _midnight(day: object, zone: ZoneInfo) -> int:
    moment = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=zone)
    return epoch_ms(moment.astimezone(UTC))
