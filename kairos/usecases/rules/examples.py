"""Examples of what a comparison has found, each with its story on both sides, as `kairos explain` tells it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kairos.adapters.files.events import EventFile, open_events
from kairos.engine.compare.difference import Difference
from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.play.explain import Line, Story
from kairos.engine.play.simulate import Simulation, UserProfiles
from kairos.engine.rule.model import RuleSet
from kairos.engine.source.schema import check_of
from kairos.usecases.rules.compare import History, people_of

MOST = 20
"""Examples of a class."""
_KEY = b'"user_id":"'
_USER = re.compile(rb'"user_id"\s*:\s*("(?:[^"\\]|\\.)*")')
_SAID = 6
"""Lines of a story that are told: the last ones up to its decision."""


class Example(msgspec.Struct, frozen=True):
    """`a`, `b`: the last lines of the story there, each with its local time. Other users' budgets are not in them."""

    difference: Difference
    a: list[str]
    b: list[str]


def examples(a: RuleSet, b: RuleSet, history: History, differences: Iterable[Difference]) -> list[Example]:
    """The first of each class. Raises InputError and OSError."""
    chosen = _first(differences)
    users = {one.user_id for one in chosen}
    lines = _lines_of(history, users)
    people = people_of(history)
    told = [_stories(rules, lines, people, users) for rules in (a, b)]
    zones = [ZoneInfo(rules.policy.timezone) for rules in (a, b)]
    return [
        Example(one, *(_told(stories, one, zone) for stories, zone in zip(told, zones, strict=True))) for one in chosen
    ]


def _first(differences: Iterable[Difference]) -> list[Difference]:
    taken, chosen = Counter[str](), list[Difference]()
    for one in differences:
        if taken[one.kind] < MOST:
            taken[one.kind] += 1
            chosen.append(one)
    return chosen


def _lines_of(history: History, users: set[str]) -> bytes:
    """Those lines of the events' file in which one of these users is named, and perhaps a few more."""
    if not users:
        return b""
    plain = {msgspec.json.encode(user) for user in users}
    with open_events(history.events) as stream:
        return b"".join(line for line in stream if _may_be_of(line, plain) and _names(line, users))


def _may_be_of(line: bytes, plain: Set[bytes]) -> bool:
    """Nearly all lines are of others, and say so in the plainest way. `plain`: users as JSON."""
    start = line.find(_KEY) + len(_KEY) - 1
    if line.rfind(_KEY) + len(_KEY) - 1 != start:
        return True
    return start < len(_KEY) - 1 or b"\\" in line or line[start : line.find(b'"', start + 1) + 1] in plain


def _names(line: bytes, users: Set[str]) -> bool:
    return any(_text(value) in users for value in _USER.findall(line))


def _text(value: bytes) -> str:
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        return ""


class _Stories(defaultdict[str, Story]):
    """An observer of several users."""

    def __missing__(self, user_id: str) -> Story:
        self[user_id] = story = Story(user_id)
        return story

    def event(self, activity: Any, moment: Any, *more: Any) -> None:
        self[moment.instant.user_id].event(activity, moment, *more)

    def gate(self, activity: Any, moment: Any, *more: Any) -> None:
        self[moment.instant.user_id].gate(activity, moment, *more)

    def dropped(self, activity: Any, instant: Any, *more: Any) -> None:
        self[instant.user_id].dropped(activity, instant, *more)

    def journey(self, entry: Any, instant: Any, *more: Any) -> None:
        self[instant.user_id].journey(entry, instant, *more)

    def compared(self, activity: Any, instant: Any, *more: Any) -> None:
        self[instant.user_id].compared(activity, instant, *more)

    def fallback(self, activity: Any, instant: Any, *more: Any) -> None:
        self[instant.user_id].fallback(activity, instant, *more)


def _stories(
    rules: RuleSet, lines: bytes, people: UserProfiles | None, users: set[str]
) -> tuple[_Stories, list[Record]]:
    file = EventFile(lambda *_: None, check_of(rules.sources))
    file.read(BytesIO(lines))
    events: list[Event] = [event for event in file.events if event.user_id in users]
    stories = _Stories()
    simulation = Simulation(rules, people, observer=stories)
    try:
        return stories, list(simulation.run(events))
    finally:
        simulation.engine.script.close()


def _told(played: tuple[_Stories, Sequence[Record]], one: Difference, zone: ZoneInfo) -> list[str]:
    stories, records = played
    until = max(record.at for record in (one.a, one.b) if record is not None)
    lines = stories[one.user_id].tell(one.activity, records, until)
    return [_sentence(line, zone) for line in lines if line.at <= until][-_SAID:]


def _sentence(line: Line, zone: ZoneInfo) -> str:
    until = f" until {_local(line.until, zone)}" if line.until is not None else ""
    return f"{_local(line.at, zone)}  {line.text}{until}"


def _local(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).replace(tzinfo=None).isoformat(" ", "seconds")
