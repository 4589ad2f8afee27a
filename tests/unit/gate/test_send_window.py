"""The hours to send in: on the user's clock, on certain days, over midnight and changes of summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.policy.send_window import closes_at, opens_at
from kairos.engine.policy.spec import QuietHours, SendWindow
from tests.engine_kit import MINUTE, rules, run

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
WEEK = 7 * 1440 * MINUTE


def clock_says_open(window: SendWindow, time: int, zone: ZoneInfo) -> bool:
    """By the definition: the wall clock shows a minute of the hours that began on one of the days."""
    shown = datetime.fromtimestamp(time // 1000, UTC).astimezone(zone)
    minute, start, end = shown.hour * 60 + shown.minute, window.hours.start, window.hours.end
    if start < end:
        return start <= minute < end and shown.weekday() in window.days
    yesterday = (shown.date() - timedelta(days=1)).weekday()
    return (minute >= start and shown.weekday() in window.days) or (minute < end and yesterday in window.days)


@settings(max_examples=40)
@given(
    start=st.integers(0, 1439),
    length=st.integers(1, 1439),
    days=st.sets(st.integers(0, 6), min_size=1),
    day=st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-25", "2026-11-01", "2026-07-01"]),
    minute=st.integers(-1440, 2 * 1440),
    zone=st.sampled_from(ZONES),
)
def test_against_the_wall_clock_minute_by_minute(
    start: int, length: int, days: set[int], day: str, minute: int, zone: str
) -> None:
    window, tz = SendWindow(QuietHours(start, (start + length) % 1440), tuple(sorted(days))), ZoneInfo(zone)
    time = int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) * 1000 + minute * MINUTE
    opens = opens_at(window, time, tz)
    if opens is None:
        assert clock_says_open(window, time, tz)
        closed = next(t for t in range(time, time + 2 * WEEK, MINUTE) if not clock_says_open(window, t, tz))
        # a window that begins where the day's last one ends is closed for no minute at all
        assert closes_at(window, time, tz) <= closed
    else:
        assert opens == next(t for t in range(time, time + 2 * WEEK, MINUTE) if clock_says_open(window, t, tz))


OFFER = (
    "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"
    "limits: {send_window: {from: '10:00', to: '20:00', days: [mon, tue, wed, thu, fri]}}\n"
)


def order(at: str) -> Event:
    return Event("e1", "order", int(datetime.fromisoformat(f"{at}+00:00").timestamp()) * 1000, "", {}, "u1")


NIGHT = "quiet_hours: {from: '22:00', to: '08:00'}\n"


@pytest.mark.parametrize(
    ("at", "policy", "held_for", "sent_at"),
    [
        ("2026-11-06T07:30", "", "send_window", "2026-11-06T10:00"),
        ("2026-11-06T20:00", "", "send_window", "2026-11-09T10:00"),  # Friday evening -> Monday
        ("2026-11-07T12:00", "", "send_window", "2026-11-09T10:00"),
        ("2026-11-06T07:30", NIGHT, "quiet_hours", "2026-11-06T10:00"),  # the first that holds is named, once
        ("2026-11-06T21:00", NIGHT, "send_window", "2026-11-09T10:00"),
        ("2026-11-06T12:00", NIGHT, None, "2026-11-06T12:00"),
    ],
)
def test_what_comes_outside_of_it_waits_for_its_next_moment(
    at: str, policy: str, held_for: str | None, sent_at: str
) -> None:
    found = run(rules(OFFER, policy=policy), [order(at)])
    told = [(r.outcome, r.reason, datetime.fromtimestamp(r.at / 1000, UTC).strftime("%Y-%m-%dT%H:%M")) for r in found]
    held = [("hold", held_for, at)] if held_for else []
    assert told == [*held, ("send", None, sent_at)]


def test_the_white_list_does_not_open_it_and_machines_wait_too() -> None:
    webhook = OFFER.replace("{channel: sms, template: t}", "{channel: webhook}")
    for activity in (OFFER, webhook):
        found = run(rules(activity, policy="lists: {white: [u1]}\n"), [order("2026-11-07T12:00")])
        assert [(r.outcome, r.reason) for r in found] == [("hold", "send_window"), ("send", None)]
