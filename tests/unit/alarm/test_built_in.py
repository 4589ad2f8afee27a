"""Every built-in alarm is caused once, says what and where, and is over when it is over."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from functools import cache

import pytest

from kairos.engine.alarm.fact import Fact, What
from kairos.engine.alarm.kinds import KINDS
from kairos.engine.alarm.spec import Alarm, Alarms, Known
from kairos.engine.alarm.watch import Watch
from tests.unit.alarm.alarm_kit import DAY, HOUR, MINUTE, MONDAY, NOW, WEEK, begun, hourly, said, steady, watching

CAUSED: set[str] = set()
PAST = list(steady("send", 20, MONDAY, NOW))
"""Five weeks of 20 messages a minute."""


def causes(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Notes which alarm a test causes."""
    CAUSED.add(name)
    return lambda test: test


def both(usual: int, hits: int, off: int, hit: What, other: What, **place: str) -> list[Fact]:
    """Four weeks with `hits` of `usual` an hour, then two hours with `off` of them, and two good ones."""
    facts = [*hourly(hit, hits, **place), *hourly(other, usual - hits, **place)]  # type: ignore[arg-type]
    for start, number in ((NOW, off), (NOW + 2 * HOUR, hits)):
        for what, n in ((hit, number), (other, usual - number)):
            facts += hourly(what, n, start, start + 2 * HOUR, **place)  # type: ignore[arg-type]
    return facts


@causes("SendsStopped")
def test_messages_that_stop_within_two_minutes() -> None:
    facts = [*steady("send", 20, NOW, NOW + HOUR + 1), *steady("send", 20, NOW + 2 * HOUR, NOW + 2 * HOUR + 1)]
    changes = said(after_the_past(), facts, NOW + 2 * HOUR + MINUTE)
    first, last = changes
    assert begun(changes) == [("SendsStopped", "hello", "sms", NOW + HOUR + 2 * MINUTE)], changes
    assert (first.runbook, first.severity) == ("docs/runbooks/SendsStopped.md", "page")
    assert first.text == "messages: none for 1 min, where 20 are expected"
    assert (last.firing, last.at) == (False, NOW + 2 * HOUR + MINUTE)


def test_messages_that_become_few_in_two_hours() -> None:
    facts = [*hourly("send", 100), *hourly("send", 40, NOW, NOW + 4 * HOUR)]
    changes = said(watching("SendsStopped"), facts, NOW + 4 * HOUR)
    assert begun(changes) == [("SendsStopped", "hello", "sms", NOW + 2 * HOUR)], changes
    assert changes[0].text == "messages: 40 in an hour; usual 100"


SHARES = [
    ("SuppressShare", "suppress", "send", ("hello", "")),
    ("DeliveryFailing", "failed", "sent", ("hello", "sms")),
    ("CapHit", "hold.cap", "send", ("hello", "")),
    ("Regret", "regret", "send", ("hello", "")),
    ("ControlShare", "control", "send", ("hello", "")),
    ("Unsubscribes", "unsubscribe", "sent", ("", "")),
    ("Unknown", "unknown", "sent", ("hello", "sms")),
]
CAUSED |= {name for name, *_ in SHARES}


@pytest.mark.parametrize(("name", "hit", "other", "place"), SHARES, ids=[name for name, *_ in SHARES])
def test_a_share_that_rises_for_two_hours(name: str, hit: What, other: What, place: tuple[str, str]) -> None:
    total = {"regret", "unsubscribe"}  # these are no part of what they are a share of
    usual, hits, off = 1_000, 20, 200
    facts = both(usual + (hits if hit in total else 0), hits, off, hit, other)
    changes = said(watching(name), facts, NOW + 4 * HOUR)
    alarm, subject, channel, at = begun(changes)[0]
    assert (alarm, subject, channel) == (name, *place)
    assert at <= NOW + 2 * HOUR, "at the latest when the second hour is over"
    assert not changes[-1].firing, "and it is over when the share is as it was"
    assert len(begun(changes)) == 1


def test_a_share_that_falls_is_an_alarm_of_the_control_group_only() -> None:
    for name, hit, other, _ in SHARES:
        facts = both(1_000, 200, 20, hit, other)
        assert any(at > NOW for *_, at in begun(said(watching(name), facts, NOW + 4 * HOUR))) is (
            name == "ControlShare"
        ), name


def test_a_provider_that_fails_five_per_cent_within_two_minutes() -> None:
    facts = [*hourly("sent", 12_000), *hourly("failed", 12)]
    for minute in range(NOW, NOW + 4 * MINUTE, MINUTE):
        facts += [Fact(minute, "sent", "hello", "sms", 95), Fact(minute, "failed", "hello", "sms", 5)]
    changes = said(watching("DeliveryFailing"), facts, NOW + 4 * MINUTE)
    assert begun(changes) == [("DeliveryFailing", "hello", "sms", NOW + 2 * MINUTE)], changes
    assert changes[0].text == "messages failed: 5.0% of 200 in 2 min"


def test_a_new_provider_is_watched_before_it_has_a_past() -> None:
    facts = [*steady("sent", 150, NOW, NOW + 3 * MINUTE), *steady("failed", 20, NOW, NOW + 3 * MINUTE)]
    assert begun(said(watching("DeliveryFailing"), facts, NOW + 3 * MINUTE))[0][3] <= NOW + 2 * MINUTE


@causes("DeadLetters")
def test_dead_letters_where_there_were_none() -> None:
    facts = [*hourly("letter", 1, end=MONDAY + HOUR, subject=""), *hourly("letter", 6, NOW, NOW + 2 * HOUR, subject="")]
    changes = said(watching("DeadLetters"), facts, NOW + 4 * HOUR)
    assert begun(changes) == [("DeadLetters", "", "sms", NOW + 2 * HOUR)]
    assert [c.firing for c in changes] == [True, False]


@pytest.mark.parametrize("channel", ["", "sms"])
def test_dead_letters_where_there_have_never_been_any(channel: str) -> None:
    """Who has none is no newcomer: the others, who have a past, tell since when that is known."""
    letters = list(hourly("letter", 6, NOW, NOW + 2 * HOUR, subject="", channel=channel))
    for known, alarms in ((NOW - 3 * WEEK - HOUR, 1), (NOW - 2 * WEEK, 0)):
        watch = watching("DeadLetters")
        watch.know_since("letter", known)
        changes = said(watch, [*hourly("sent", 100, end=NOW + 4 * HOUR), *letters], NOW + 4 * HOUR)
        assert begun(changes) == [("DeadLetters", "", channel, NOW + 2 * HOUR)] * alarms


@causes("BudgetBurn")
def test_a_budget_that_does_not_last_a_day() -> None:
    known = Known(owner={"welcome.first": "welcome"}, budgets={"welcome": 10_000})
    start = NOW - 4 * DAY
    facts = hourly("send", 100, start, NOW, subject="welcome.first")
    changes = said(watching("BudgetBurn", known), facts, NOW)
    ((alarm, subject, channel, at),) = begun(changes)
    assert (alarm, subject, channel) == ("BudgetBurn", "welcome", "")
    left = 10_000 - (at - start) // HOUR * 100
    assert 2_300 <= left <= 2_600, "as much as goes in a day is left"
    assert changes[0].text.startswith("sends left in the budget: ")


@causes("LowCoupons")
def test_codes_that_do_not_last_a_day() -> None:
    known = Known(pools={"hello": ("spring",)}, codes={"spring": 1_000})
    watch = watching("LowCoupons", known, limit=2 * HOUR)
    facts = [*hourly("send", 100, NOW, NOW + 8 * HOUR)]
    changes = said(watch, facts, NOW + 8 * HOUR)
    assert begun(changes)[0][:3] == ("LowCoupons", "spring", "")
    assert changes[0].label == "pool"
    refilled = said(watch, [Fact(NOW + 8 * HOUR, "left", "spring", "", 5_000)], NOW + 8 * HOUR + MINUTE)
    assert [c.firing for c in refilled] == [False]


@causes("WatermarkAge")
def test_a_watermark_that_stands_still_is_said_and_nothing_else_is() -> None:
    watch = watching("WatermarkAge")
    stopped = after_the_past()
    for each in (watch, stopped):
        said(each, steady("send", 20, NOW, NOW + HOUR), NOW + HOUR, NOW + HOUR)
    assert begun(watch.advance(NOW + 2 * HOUR, NOW + HOUR)) == [("WatermarkAge", "", "", NOW + HOUR + 6 * MINUTE)]
    assert begun(stopped.advance(NOW + 2 * HOUR, NOW + HOUR)) == [], "time has not gone on"
    assert begun(stopped.advance(NOW + 2 * HOUR, NOW + 2 * HOUR)) != [], "now it has"
    assert [c.firing for c in watch.advance(NOW + 2 * HOUR + MINUTE, NOW + 2 * HOUR)] == [False]


@causes("CrowdStale")
def test_a_crowd_that_is_not_built_any_more() -> None:
    watch = watching("CrowdStale", Known(refresh={"lapsing": DAY}))
    changes = said(watch, [Fact(NOW, "snapshot", "lapsing"), Fact(NOW, "snapshot", "by_hand")], NOW + 3 * DAY)
    assert begun(changes) == [("CrowdStale", "lapsing", "", NOW + 2 * DAY + MINUTE)]
    assert changes[0].label == "crowd"
    assert [c.firing for c in said(watch, [Fact(NOW + 3 * DAY, "snapshot", "lapsing")], NOW + 3 * DAY + MINUTE)] == [
        False
    ]


def test_no_built_in_alarm_is_left_out_here() -> None:
    assert set(KINDS) == CAUSED


# ------------------------------------------------------------------------------------------------------------ mutes
@cache
def _after_the_past() -> Watch:
    watch = watching("SendsStopped")
    assert begun(said(watch, PAST, NOW)) == []
    return watch


def after_the_past() -> Watch:
    """Of SendsStopped; it has seen five weeks of 20 messages a minute."""
    return deepcopy(_after_the_past())


def stops(known: Known | None = None) -> list[tuple[str, str, str, int]]:
    """What is said of six hours without a message."""
    watch = after_the_past()
    watch.know(known or Known(), NOW)
    return begun(watch.advance(NOW + 6 * HOUR))


def test_it_would_speak() -> None:
    assert stops() != []


def test_a_paused_activity_is_muted() -> None:
    assert stops(Known(paused=frozenset({"hello"}))) == []
    assert stops(Known(paused=frozenset({"other"}))) != []


def test_an_activity_outside_its_dates_is_muted() -> None:
    assert stops(Known(active={"hello": (None, NOW)})) == []
    assert stops(Known(active={"hello": (MONDAY, NOW + DAY)})) != []


def test_matches_suppressed_for_a_pause_mute_until_a_message_goes() -> None:
    watch = after_the_past()
    facts = steady("suppress.paused", 20, NOW, NOW + 6 * HOUR)
    assert begun(said(watch, facts, NOW + 6 * HOUR)) == []
    assert begun(said(watch, steady("send", 20, NOW + 6 * HOUR, NOW + 7 * HOUR), NOW + 9 * HOUR)) != []


def test_two_hours_after_a_release_are_muted() -> None:
    by_version, told = after_the_past(), after_the_past()
    by_version.hear(Fact(NOW, "send", "hello", "sms", 1, "v2"))
    told.released(["hello"], NOW)
    for watch in (by_version, told):
        ((*_, at),) = begun(watch.advance(NOW + 6 * HOUR))
        assert at > NOW + 2 * HOUR


def test_holidays_are_muted_by_the_clocks_of_the_policy() -> None:
    def fires(zone: str, day: date) -> bool:
        watch = Watch(Alarms({"SendsStopped": Alarm("SendsStopped")}, (day,)), Known(zone=zone))
        return begun(said(watch, PAST, NOW + 3 * HOUR)) != []

    assert fires("UTC", date(2026, 9, 27))
    assert not fires("UTC", date(2026, 9, 28))
    assert not fires("America/New_York", date(2026, 9, 27)), "it is Sunday evening there"


# --------------------------------------------------------------------------------------------------------- behaviour
def test_only_those_that_are_named() -> None:
    facts = [*hourly("letter", 1, end=MONDAY + HOUR), *hourly("letter", 9, NOW, NOW + 2 * HOUR)]
    assert begun(said(watching("DeadLetters", channels=("push",)), facts, NOW + 2 * HOUR)) == []
    assert begun(said(watching("DeadLetters", channels=("sms",)), facts, NOW + 2 * HOUR)) != []
    facts = both(1_000, 20, 200, "suppress", "send")
    assert begun(said(watching("SuppressShare", subjects=("other",)), facts, NOW + 2 * HOUR)) == []
    assert begun(said(watching("SuppressShare", subjects=("hello",)), facts, NOW + 2 * HOUR)) != []


def test_an_alarm_is_said_once() -> None:
    watch = after_the_past()
    changes = list(watch.advance(NOW + DAY))
    assert len(changes) == 1
    assert list(watch.firing.values()) == changes


def test_a_message_that_comes_late_ends_the_silence() -> None:
    watch = after_the_past()
    said(watch, steady("send", 20, NOW, NOW + HOUR), NOW + HOUR)
    list(watch.advance(NOW + HOUR + MINUTE))
    watch.hear(Fact(NOW + HOUR + MINUTE - 1, "send", "hello", "sms", 20, "v1"))
    watch.hear(Fact(NOW + HOUR + 2 * MINUTE, "send", "hello", "sms", 20, "v1"))
    assert begun(watch.advance(NOW + HOUR + 3 * MINUTE)) == []


def test_clumps_are_no_silence() -> None:
    """Everything of an hour at its beginning: the fast rule learns how long silence lasts there."""
    facts = [Fact(at, "send", "hello", "sms", 1_200, "v1") for at in range(MONDAY, NOW + 2 * WEEK, HOUR)]
    assert [at for *_, at in begun(said(watching("SendsStopped"), facts, NOW + 2 * WEEK)) if at > NOW] == []


def test_three_weeks_are_needed_before_anything_is_judged() -> None:
    facts = hourly("send", 1_200, start=NOW - 2 * WEEK)
    assert begun(said(watching("SendsStopped"), facts, NOW + 6 * HOUR)) == []
