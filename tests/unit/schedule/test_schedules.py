"""Schedules in a bounded run: who has which slot, at which pace, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.model import Pace
from kairos.engine.schedule.due import due_event, due_id
from kairos.engine.schedule.pace import in_order, turns
from tests.engine_kit import BASE, DAY, HOUR, MINUTE, Profiles, decisions, event, events, receipt, rules, run, tell


def scheduled(schedule: str, more: str = "", crowd: str = "") -> str:
    whom = f", crowd: {crowd}" if crowd else ""
    return f"activity: a\ntrigger: {{schedule: {schedule}{whom}}}\ndata: {{slot: slot.slot}}\n{more}"


DAILY = scheduled('{daily: "13:00"}')
TWO_DAYS = events("0s x", "2d x")


def test_everyone_known_meets_the_slots_between_the_first_event_and_the_last() -> None:
    profiles: Profiles = {"u2": {"timezone": "Asia/Shanghai"}, "u3": {"timezone": "nowhere"}}
    told = decisions(rules(DAILY), TWO_DAYS, profiles, users=True)
    assert told == [
        "1h a match u1", "1h a match u3", "17h a match u2", "1d1h a match u1", "1d1h a match u3", "1d17h a match u2",
    ]  # fmt: skip


def test_a_zone_by_name_is_one_instant_and_the_ends_are_included() -> None:
    text = scheduled('{daily: "12:00", timezone: UTC}')
    assert decisions(rules(text), TWO_DAYS, {"u1": {"timezone": "Asia/Shanghai"}}) == [
        "0s a match", "1d a match", "2d a match",
    ]  # fmt: skip


def test_the_span_of_a_run_may_be_said() -> None:
    simulation = Simulation(rules(DAILY), {"u1": {}})
    assert [tell(r) for r in simulation.run([], first=BASE, last=BASE + DAY)] == ["1h a match"]
    assert [tell(r) for r in Simulation(rules(DAILY)).run(events("0s x"), last=BASE + DAY)] == ["1h a match"]
    assert list(Simulation(rules(DAILY), {"u1": {}}).run([])) == []


def test_the_occurrence_is_of_activity_slot_and_user_alone() -> None:
    first, second = run(rules(DAILY), TWO_DAYS)
    assert first.steps == {"slot": ["sched/a/2026-11-02T13:00/u1"]}
    assert first.data == {"slot": "2026-11-02T13:00"}
    again = run(rules(DAILY), events("30m x", "3d x"))
    assert again[0].occurrence == first.occurrence != second.occurrence


def test_a_slot_that_the_events_have_is_not_told_again() -> None:
    known = due_event("a", "2026-11-02T13:00", "u1", BASE + 2 * HOUR)
    assert decisions(rules(DAILY), [*TWO_DAYS, known]) == ["2h a match", "1d1h a match"]


def test_as_arrived_each_slot_comes_when_its_time_has_come() -> None:
    text = scheduled('{daily: "13:00"}', "send: [{channel: webhook}]\n")
    given = events("0s x", "1d12h x", "1d11h59m x", "2d x")
    assert [tell(r) for r in run(rules(text), given, as_arrived=True)] == ["1h a send webhook", "1d1h a send webhook"]


def test_a_crowd_is_asked_at_the_slot_and_again_after_a_hold() -> None:
    crowds = "buyers: {where: metric.spent >= 5}\nlisted: {members: [u1]}\ngold: {where: profile.level > 2}\n"
    files = {"crowds": crowds, "metrics": "spent: {sum: amount, of: pay, window: 30d}\n"}
    given = events("0s pay amount=9", "0s pay amount=1 user=u2", "1d2h pay amount=9 user=u2", "2d2h x")
    told = decisions(rules(scheduled('{daily: "13:00"}', crowd="buyers"), **files), given, users=True)
    assert told == ["1h a match u1", "1d1h a match u1", "2d1h a match u1", "2d1h a match u2"]
    told = decisions(rules(scheduled('{daily: "13:00"}', crowd="listed"), **files), given, users=True)
    assert told == ["1h a match u1", "1d1h a match u1", "2d1h a match u1"]
    told = decisions(rules(scheduled('{daily: "13:00"}', crowd="gold"), **files), given, {"u2": {"level": 3}}, True)
    assert told == ["1h a match u2", "1d1h a match u2", "2d1h a match u2"]
    quiet = "quiet_hours: {from: '12:30', to: '14:00'}\n"
    held = scheduled("{at: 2026-11-02T13:00}", "send: [{channel: in_app, template: t}]\n", crowd="poor")
    poor = crowds + "poor: {where: metric.spent < 5}\n"
    rule_set = rules(held, crowds=poor, metrics=files["metrics"], policy=quiet)
    given = events("0s x", "90m pay amount=9", "1d x")
    assert decisions(rule_set, given) == ["1h a hold quiet_hours", "2h a suppress audience"]


def test_a_paused_activity_records_its_slots_and_one_that_has_ended_has_none() -> None:
    assert decisions(rules(DAILY + "state: paused\n"), TWO_DAYS) == ["1h a suppress paused", "1d1h a suppress paused"]
    assert decisions(rules(DAILY + "state: ended\n"), TWO_DAYS) == []


def test_a_schedule_begins_a_goal_like_anything_else() -> None:
    more = "send: [{channel: webhook}]\ngoal: {event: pay, within: 1d}\n"
    told = decisions(rules(scheduled("{at: 2026-11-02T13:00}", more)), events("0s x", "2h pay", "1d x"))
    assert told == ["1h a send webhook", "2h a goal"]


# ----------------------------------------------------------------------------------------------------------- the pace

MANY = [event(f"0s x user=u{n}", n) for n in range(100)] + [event("1d x user=u0", 101)]


def times(pace: str) -> dict[str, int]:
    """How many users are decided when, and how."""
    told = decisions(rules(scheduled("{at: 2026-11-02T13:00, timezone: UTC}", f"pace: {pace}\n")), MANY)
    return {word: told.count(word) for word in dict.fromkeys(told)}


@pytest.mark.parametrize(
    ("pace", "told"),
    [
        ("{rate: 40 per 1m}", {"1h a match": 40, "1h1m a match": 40, "1h2m a match": 20}),
        ("{rate: 50 per 1m}", {"1h a match": 50, "1h1m a match": 50}),
        ("{rate: 30 per 3h}", {"1h a match": 30, "4h a match": 30, "7h a match": 30, "7h a suppress expired": 10}),
        ("{rate: 40 per 1m, until: 1m}", {"1h a match": 40, "1h1m a match": 40, "1h1m a suppress expired": 20}),
        ("{until: 1s}", {"1h a match": 100}),
    ],
)  # fmt: skip
def test_a_rate_is_so_many_at_the_slot_and_after_each_such_time(pace: str, told: dict[str, int]) -> None:
    assert times(pace) == told


def test_waves_are_slices_of_a_hash_that_is_another_one_in_each_run() -> None:
    told = times("{waves: [10%, 50%, 100%], every: 15m}")
    assert list(told) == ["1h a match", "1h15m a match", "1h30m a match"]
    assert sum(told.values()) == 100
    users = [f"u{n}" for n in range(10_000)]
    first = {user for place, user in in_order(users, "a", "2026-11-02T13:00") if place < 0.1}
    other = {user for place, user in in_order(users, "a", "2026-11-03T13:00") if place < 0.1}
    assert 900 < len(first) < 1_100
    assert len(first & other) < 150


def test_a_rate_goes_on_over_waves() -> None:
    placed = [(n / 10, f"u{n}") for n in range(10)]
    pace = Pace(rate=2, per=MINUTE, waves=(0.5, 1.0), every=90_000)
    assert [turn.after // MINUTE for turn in turns(pace, placed)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    slow = Pace(rate=2, per=MINUTE, waves=(0.5, 1.0), every=5 * MINUTE, until=6 * MINUTE)
    got = [(turn.user_id, turn.after // MINUTE, turn.expired) for turn in turns(slow, placed)]
    assert got[4:] == [
        ("u4", 2, False), ("u5", 5, False), ("u6", 5, False), ("u7", 6, False), ("u8", 6, False), ("u9", 6, True),
    ]  # fmt: skip
    assert [turn.after // MINUTE for turn in turns(slow, placed, delay=5 * MINUTE)] == [5, 5, 6, 6, 6, 6, 6, 6, 6, 6]


def test_an_id_is_never_longer_than_an_id_may_be() -> None:
    assert due_id("a", "2026-11-02T13:00", "u1") == "sched/a/2026-11-02T13:00/u1"
    long = due_id("a" * 100, "2026-11-02T13:00", "é" * 128)
    assert len(long.encode()) <= 256
    assert long != due_id("a" * 100, "2026-11-02T13:00", "é" * 127 + "e")


def test_the_wait_between_slots_follows_the_clock_of_the_user() -> None:
    """Over the end of summer time, a day is 25 hours long."""
    start = int(datetime(2026, 10, 24, tzinfo=UTC).timestamp() * 1000)
    given = [Event("e1", "x", start, "", {}, "u1"), Event("e2", "x", start + 3 * DAY, "", {}, "u1")]
    found = [record.at for record in run(rules(DAILY), given, {"u1": {"timezone": "Europe/Berlin"}})]
    assert [timedelta(milliseconds=b - a) for a, b in pairwise(found)] == [
        timedelta(hours=25), timedelta(hours=24),
    ]  # fmt: skip


def test_receipts_of_a_blast_are_events_too() -> None:
    blast = scheduled("{at: 2026-11-02T13:00}", "send: [{channel: sms, template: t}]\n")
    follow = "activity: b\ntrigger: {pattern: [{sent: a}, {absent: {clicked: a}}], within: 1d}\n"
    given = [*events("0s x", "3d x"), receipt("1h1m a sent"), receipt("2h a clicked")]
    assert decisions(rules(blast, follow), given[:2]) == ["1h a send sms", "1d1h b match"]
    assert decisions(rules(blast, follow), given) == ["1h a send sms"]


# ----------------------------------------------------------------------------------- one address, one message

SHARED: Profiles = {
    "u1": {"email": "one@example.com"}, "u2": {"email": "one@example.com", "phone": "+4912345"},
    "u3": {"email": "three@example.com"},
}  # fmt: skip
MAIL = "send: [{channel: email, template: t}, {channel: sms, template: t, after: 1h, unless: read}]\n"


def test_an_address_that_several_share_is_written_to_once_a_run() -> None:
    text = scheduled('{daily: "13:00"}', MAIL)
    told = decisions(rules(text), TWO_DAYS, SHARED, users=True)
    assert told == [
        "1h a send email u1", "1h a suppress duplicate_address u2", "1h a send email u3",
        "2h a suppress unreachable #2 u1", "2h a suppress unreachable #2 u3",
        "1d1h a send email u1", "1d1h a suppress duplicate_address u2", "1d1h a send email u3",
        "1d2h a suppress unreachable #2 u1", "1d2h a suppress unreachable #2 u3",
    ]  # fmt: skip


def test_it_uses_up_neither_cap_nor_budget_and_is_no_matter_of_what_users_do_themselves() -> None:
    policy = "default_caps: [m]\ncaps: {m: {rules: [{max: 1, per: 7d}]}}\n"
    blast = scheduled("{at: 2026-11-02T13:00}", "limits: {budget: {sends: 2}}\nsend: [{channel: email, template: t}]\n")
    other = "activity: b\ntrigger: {event: ask}\nsend: [{channel: email, template: t}]\n"
    given = [*TWO_DAYS, *events("2h ask user=u2", "2h ask user=u3", "3h ask user=u1")]
    told = decisions(rules(blast, other, policy=policy), given, SHARED, users=True)
    assert told == [
        "1h a send email u1", "1h a suppress duplicate_address u2", "1h a send email u3",
        "2h b send email u2", "2h b suppress cap:m u3", "3h b suppress cap:m u1",
    ]  # fmt: skip


def test_as_arrived_it_is_the_same() -> None:
    text = scheduled("{at: 2026-11-02T13:00}", "send: [{channel: email, template: t}]\n")
    told = [tell(record, users=True) for record in run(rules(text), TWO_DAYS, SHARED, as_arrived=True)]
    assert told == ["1h a send email u1", "1h a suppress duplicate_address u2", "1h a send email u3"]
