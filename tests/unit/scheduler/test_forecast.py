"""The load to come: what calendars plan at their pace, what is usual for the rest, and whom two of them meet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from weakref import WeakSet

from kairos.adapters.crowds.port import Live, Span
from kairos.adapters.crowds.sqlite import SqliteCrowds
from kairos.adapters.profiles.everyone import EveryoneInFile
from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.event import Event
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.reads.needs import Needs
from kairos.usecases.scheduler.forecast import HOUR, WEEK, Forecast, Overlap, Part, forecast
from kairos.usecases.scheduler.foresee import reached, slots_to_come
from tests.measured import DAY, START, play, valid

SALE = """
activity: sale
state: live
trigger: {{schedule: {{at: 2026-12-12T10:00, timezone: UTC}}}}
{pace}
send: [{{channel: sms, template: hi}}, {{channel: email, template: hi}}]
"""
DAILY = """
activity: morning
state: live
trigger: {schedule: {daily: "09:00", timezone: UTC}}
send: [{channel: email, template: hi}]
"""
NUDGE = "activity: nudge\nstate: live\ntrigger: {event: cart}\nsend: [{channel: console}]\n"
DAY_OF_SALE = 1_797_033_600_000  # 2026-12-12T00:00Z
PEOPLE = {
    "a": {"phone": "+447700900001", "email": "a@example.com"},
    "b": {"phone": "+447700900002"},
    "c": {"email": "c@example.com"},
    "d": {},
}


def rules_of(pace: str = "") -> RuleSet:
    files = {"sale": SALE.format(pace=pace), "morning": DAILY, "nudge": NUDGE}
    texts = {f"templates/hi.{channel}.liquid": b"hi" for channel in ("sms", "email")}
    found = valid({**{f"activities/all/{name}.yaml": text.encode() for name, text in files.items()}, **texts})
    assert found.rules is not None
    return found.rules


def planned(tmp_path: Path, pace: str = "") -> Forecast:
    (tmp_path / "profiles.json").write_text(json.dumps(PEOPLE))
    people = EveryoneInFile(tmp_path / "profiles.json")
    return forecast(rules_of(pace), people, None, DAY_OF_SALE, DAY_OF_SALE + DAY)


def test_each_is_planned_on_the_first_channel_that_reaches_him_and_two_on_one_day_are_told(tmp_path: Path) -> None:
    found = planned(tmp_path)
    nine, ten = DAY_OF_SALE + 9 * HOUR, DAY_OF_SALE + 10 * HOUR
    assert found.parts == [
        Part(nine, "email", "morning", 2), Part(ten, "email", "sale", 1), Part(ten, "sms", "sale", 2)
    ]  # fmt: skip
    assert found.channels == [Part(each.hour, each.channel, "", each.planned) for each in found.parts]
    assert found.overlaps == [Overlap("2026-12-12", "morning", "sale", 2)]  # a and c have a mail address


def test_a_pace_spreads_it_over_the_hours(tmp_path: Path) -> None:
    hours = [part.hour for part in planned(tmp_path, "pace: {rate: 1 per 1h}").parts if part.activity == "sale"]
    assert hours == [DAY_OF_SALE + hour * HOUR for hour in (10, 11, 12)]


class Name(str):
    """Of which a test sees whether somebody still holds it."""


class Crowded:
    """So many people that nobody may keep them all."""

    def __init__(self, number: int) -> None:
        self.number, self.alive, self.most, self.asked = number, WeakSet[Name](), 0, 0

    def everyone(self, _needs: Needs) -> Iterator[tuple[str, Mapping[str, Any]]]:
        self.asked += 1
        for n in range(self.number):
            self.most = max(self.most, len(self.alive))
            self.alive.add(name := Name(f"u{n}"))
            yield name, {"email": f"{n}@example.com"}
            del name

    def refused_since(self, since: int) -> set[str]:
        raise NotImplementedError

    def count_refused_since(self, since: int) -> int:
        raise NotImplementedError


def test_of_those_who_come_at_once_no_names_are_kept() -> None:
    people = Crowded(500)
    found = forecast(rules_of(), people, None, DAY_OF_SALE, DAY_OF_SALE + DAY)
    assert [part.planned for part in found.parts] == [500, 500]
    assert people.most < 5


def test_however_many_calendars_there_are_everyone_is_gone_through_once() -> None:
    people, rules = Crowded(3), rules_of()
    assert reached(rules, ["sale", "morning"], people, DAY_OF_SALE) == {"sale": 3, "morning": 3}, "not of all its days"
    assert people.asked == 1
    assert [slot.users for slot in slots_to_come(rules, people, DAY_OF_SALE, DAY_OF_SALE + DAY)] == [3, 3]
    assert people.asked == 2


def test_a_crowd_that_makes_others_known_makes_them_known_to_its_own_calendar_alone(tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text(json.dumps(PEOPLE))
    crowds = SqliteCrowds(tmp_path / "live.db")
    crowds.stage("kept", [Span("a", 1), Span("elsewhere", 1)])
    crowds.flip("kept", Live(1, DAY_OF_SALE, DAY_OF_SALE))
    crowds.close()
    people = EveryoneInFile(tmp_path / "profiles.json", tmp_path / "live.db")
    files = {"crowds.yaml": b"kept: {where: count(cart) > 0, refresh: 1d}\n", "templates/hi.email.liquid": b"hi"}
    told = DAILY.replace("timezone: UTC}", "timezone: UTC}, crowd: kept").replace("morning", "noon")
    files |= {"activities/all/morning.yaml": DAILY.encode(), "activities/all/noon.yaml": told.encode()}
    rules = valid(files).rules
    assert rules is not None
    assert reached(rules, ["morning", "noon"], people, DAY_OF_SALE) == {"morning": 4, "noon": 2}


def test_what_events_begin_is_told_by_the_same_hour_of_the_weeks_before(tmp_path: Path) -> None:
    """At noon of START and of each week after it, 1, 2, 3 and 4 carts; the newest event is an hour after the last."""
    rules = valid({"activities/all/nudge.yaml": NUDGE.encode()})
    noon = START + 12 * HOUR
    carts = [(week, n) for week in range(4) for n in range(week + 1)]
    events = [Event(f"{week}{n}", "cart", noon + week * WEEK, "", {}, f"u{week}{n}") for week, n in carts]
    for name, at in (("first", noon - WEEK), ("last", noon + 3 * WEEK + HOUR)):
        events.append(Event(name, "visit", at, "", {}, "u"))
    events.sort(key=lambda each: each.time)
    play(tmp_path / "warehouse", rules, events)
    (tmp_path / "profiles.json").write_text("{}")
    assert rules.rules is not None
    start = noon + 4 * WEEK - 2 * HOUR
    with closing(open_engine(tmp_path / "warehouse")) as engine:
        found = forecast(rules.rules, EveryoneInFile(tmp_path / "profiles.json"), engine, start, start + DAY)
    assert found.weeks == 4
    assert found.parts == [Part(noon + 4 * WEEK, "console", "nudge", 0, 2.5, 1, 4)]
