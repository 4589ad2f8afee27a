"""One activity: what a release changed of it, where the people of a journey are, and which alarms are on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kairos.adapters.alarms.said import SaidFile
from kairos.engine.alarm.spec import Change
from kairos.engine.event import Event
from tests.measured import DAY, HOUR, START, play, valid
from tests.unit.console.conftest import Reader
from tests.unit.console.world import NOW
from tests.unit.control.desk import NUDGE, Desk

JOURNEY = """
journey: welcome
state: live
trigger: {event: signup}
steps:
  - {id: first, wait: 1d}
  - {id: hello, send: [{channel: console}]}
  - {id: second, wait: 20d}
  - {id: last, send: [{channel: console}]}
"""


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("at: 2027-03-20T10:00", "2027-03-20 10:00, each person&#39;s own"),
        ('daily: "08:30", timezone: Europe/Berlin', "daily at 08:30, Europe/Berlin"),
    ],
)
def test_what_the_calendar_begins_says_when(
    schedule: str, said: str, desk: Desk, signed_in: Callable[[str], Reader]
) -> None:
    assert "Goes out" not in signed_in("vic").get("/activities/nudge").text
    paused = NUDGE.replace("state: live", "state: paused")  # whom a live one reaches would have to be counted
    desk.write(paused.replace("trigger: {event: visit}", f"trigger: {{schedule: {{{schedule}}}}}"))
    desk.all_of_it()
    desk.publish()
    assert f"<dt>Goes out</dt><dd>{said}" in signed_in("vic").get("/activities/nudge").text


def test_what_a_release_made_other_is_drawn_field_by_field(desk: Desk, signed_in: Callable[[str], Reader]) -> None:
    vic = signed_in("vic")
    assert 'id="changed"' not in vic.get("/activities/nudge").text  # nothing was before it
    desk.write(NUDGE.replace("event: visit", "event: basket"))
    desk.all_of_it()
    desk.publish()
    told = vic.get("/activities/nudge?release=2").text.split('id="changed"')[1]
    assert "<del>- &#34;visit&#34;</del>" in told or "visit" in told.split("<del>")[1].split("</del>")[0]
    assert "basket" in told.split("<ins>")[1].split("</ins>")[0]
    assert "</del>\n<ins>" in told, "a line each"
    assert "kairos diff 1 2" in told
    assert 'id="changed"' not in vic.get("/activities/nudge?release=1").text


def test_where_the_people_of_a_journey_are(local: Reader, tmp_path: Path) -> None:
    (tmp_path / "rules" / "journeys" / "crm").mkdir(parents=True)
    (tmp_path / "rules" / "journeys" / "crm" / "welcome.yaml").write_text(JOURNEY)
    signups = [Event(f"s{n}", "signup", START + n * DAY, "", {}, f"u{n}") for n in range(4)]
    signups.append(Event("later", "visit", START + 3 * DAY + HOUR, "", {}, "u9"))
    play(tmp_path / "warehouse", valid({"journeys/crm/welcome.yaml": JOURNEY.encode()}), signups)
    told = local.get("/activities/welcome?numbers=yes").text.split("Where its people are")[1]
    waiting = {step: int(told.split(f"<dt>{step}</dt><dd>")[1].split(" ")[0]) for step in ("first", "second")}
    assert waiting == {"first": 0, "second": 4}  # as of the shop's newest event, nine days later
    assert "welcome.hello" in local.get("/people/u1?activity=welcome&all=yes").text


TWO = """
activity: two_texts
state: live
trigger: {event: visit}
variants:
  - {name: short, weight: 50, send: [{channel: console}]}
  - {name: long, weight: 50, send: [{channel: console}]}
goal: {event: purchase, within: 1d}
"""


def test_which_variant_is_better_is_told_without_a_control_group(local: Reader, tmp_path: Path) -> None:
    (tmp_path / "rules" / "activities" / "crm").mkdir(parents=True, exist_ok=True)
    (tmp_path / "rules" / "activities" / "crm" / "two_texts.yaml").write_text(TWO)
    users = [f"t{number}" for number in range(60)]
    rules = valid({"activities/crm/two_texts.yaml": TWO.encode()})
    visits = [Event(f"v{user}", "visit", START + HOUR, "", {}, user) for user in users]
    bought = [Event(f"p{user}", "purchase", START + 2 * HOUR, "", {}, user) for user in users[::3]]
    play(tmp_path / "warehouse", rules, [*visits, *bought, Event("end", "visit", NOW, "", {}, "last")])
    told = local.get("/activities/two_texts?numbers=yes").text
    pair = told.split('id="lift-two_texts-variant"')[1].split("</table>")[0]
    assert "p of the pair" in pair
    assert pair.count("Not told yet") == 1


BOOK = "docs/runbooks/SendsStopped.md"


def test_an_alarm_that_is_on_stands_at_its_activity(local: Reader, tmp_path: Path) -> None:
    conf = tmp_path / "conf.yaml"
    conf.write_text(conf.read_text() + f"alarms: {{state: {tmp_path}/alarms.json}}\n")
    alarm = Change("SendsStopped", "counts", "activity", "cart_left", "console", True, NOW, "<b>none</b>", BOOK, "page")
    SaidFile(tmp_path / "alarms.json").write({"desk": [alarm]})
    rows = local.get("/").text.split("<tbody>")[1].split("</tr>")
    mine = next(row for row in rows if "/activities/cart_left" in row)
    assert "SendsStopped" in mine
    assert "<b>none" not in mine
    assert "SendsStopped" not in next(row for row in rows if "/activities/welcome_back" in row)
    assert f"<code>{BOOK}</code>" in local.get("/health").text
    conf.write_text(conf.read_text().replace("alarms: {", "alarms: {runbooks: 'https://wiki.example/', "))
    assert f'<a href="https://wiki.example/{BOOK}">' in local.get("/health").text
    conf.write_text(conf.read_text().replace("https:", "javascript:"))
    assert 'href="javascript' not in local.get("/health").text
