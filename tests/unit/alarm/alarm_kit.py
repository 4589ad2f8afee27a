"""A past for alarms: weeks of steady traffic, and what comes after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kairos.engine.alarm.fact import Fact, What
from kairos.engine.alarm.spec import Alarm, Alarms, Change, Known
from kairos.engine.alarm.watch import Watch

MINUTE, HOUR, DAY, WEEK = 60_000, 3_600_000, 86_400_000, 604_800_000
MONDAY = 1_787_529_600_000
"""2026-08-24T00:00Z"""
NOW = MONDAY + 5 * WEEK
"""After five weeks of past."""


def only(name: str, **fields: object) -> Alarms:
    return Alarms({name: Alarm(name, **fields)})  # type: ignore[arg-type]


def hourly(
    what: What, n: int, start: int = MONDAY, end: int = NOW, subject: str = "hello", channel: str = "sms"
) -> Iterator[Fact]:
    """`n` an hour, together in its middle."""
    for at in range(start, end, HOUR):
        yield Fact(at + HOUR // 2, what, subject, channel, n, "v1" if what == "send" else "")


def steady(
    what: What, n: int, start: int, end: int, subject: str = "hello", channel: str = "sms", version: str = "v1"
) -> Iterator[Fact]:
    """`n` each minute."""
    for at in range(start, end, MINUTE):
        yield Fact(at, what, subject, channel, n, version)


def said(watch: Watch, facts: Iterable[Fact], until: int, watermark: int | None = None) -> list[Change]:
    """What it says of these, by time, and of the silence up to `until`."""
    return [*watch.play(sorted(facts)), *watch.advance(until, watermark)]


def begun(changes: Iterable[Change]) -> list[tuple[str, str, str, int]]:
    """(alarm, subject, channel, at) of those that begin."""
    return [(c.alarm, c.subject, c.channel, c.at) for c in changes if c.firing]


def watching(name: str, known: Known | None = None, **fields: object) -> Watch:
    return Watch(only(name, **fields), known or Known())
