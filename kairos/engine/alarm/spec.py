"""What alarms.yaml says, as data, and what an alarm tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple

import msgspec

from kairos.engine.alarm.kinds import KINDS

Severity = Literal["page", "ticket"]


class Alarm(msgspec.Struct, frozen=True):
    """One alarm. `subjects`, `channels`: only these; empty: all. `limit` None: as its kind has it, ms. `send_to`: names
    of receivers; empty: those of all alarms."""

    kind: str
    subjects: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    z: float = 3.5
    limit: int | None = None
    severity: Severity = "page"
    send_to: tuple[str, ...] = ()


class Alarms(msgspec.Struct, frozen=True):
    """A whole alarms.yaml: alarms by name. `holidays`: in the policy's zone."""

    alarms: dict[str, Alarm] = msgspec.field(default_factory=lambda: {name: Alarm(name) for name in KINDS})
    holidays: tuple[date, ...] = ()
    send_to: tuple[str, ...] = ()

    def receivers_of(self, alarm: str) -> tuple[str, ...]:
        found = self.alarms.get(alarm)
        return found.send_to if found is not None and found.send_to else self.send_to


class Known(msgspec.Struct, frozen=True):
    """What the rules say that alarms must know. `active`: activity -> [from, to), epoch ms. `owner`: activity -> whose
    budget it spends, where that is another. `budgets`, `codes`: how many there were. `pools`: activity -> the pools
    that each of its messages takes a code of. `refresh`: kept crowd -> ms."""

    zone: str = "UTC"
    paused: frozenset[str] = frozenset()
    active: Mapping[str, tuple[int | None, int | None]] = {}
    owner: Mapping[str, str] = {}
    budgets: Mapping[str, int] = {}
    pools: Mapping[str, tuple[str, ...]] = {}
    codes: Mapping[str, int] = {}
    refresh: Mapping[str, int] = {}


class Key(NamedTuple):
    """Which alarm, of which activity (crowd, pool) on which channel; "" where it is of no single one."""

    alarm: str
    subject: str = ""
    channel: str = ""


class Change(msgspec.Struct, frozen=True):
    """An alarm that begins (`firing`) or is over, at `at` (epoch ms). `label`: what `subject` is."""

    alarm: str
    kind: str
    label: str
    subject: str
    channel: str
    firing: bool
    at: int
    text: str
    runbook: str
    severity: Severity

    @property
    def key(self) -> Key:
        return Key(self.alarm, self.subject, self.channel)
