"""Quiet hours: on the user's clock, over midnight, over changes of summer time; and what an activity makes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.policy.quiet_hours import is_quiet, next_quiet, quiet_until
from kairos.engine.policy.spec import QuietHours
from tests.engine_kit import MINUTE, decisions, events, rules

ORDER = "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"
NIGHT = "quiet_hours: {from: '22:00', to: '08:00'}\n"
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"]


def clock_says_quiet(quiet: QuietHours, time: int, zone: ZoneInfo) -> bool:
    """By the definition: the local wall clock shows a minute of [start, end)."""
    shown = datetime.fromtimestamp(time // 1000, UTC).astimezone(zone)
    minute = shown.hour * 60 + shown.minute
    minutes = range(quiet.start, quiet.end if quiet.end > quiet.start else quiet.end + 1440)
    return minute in minutes or minute + 1440 in minutes


@given(
    start=st.integers(0, 1439),
    length=st.integers(1, 1439),
    # days around changes of summer time, north and south, and one far from any
    day=st.sampled_from(
        ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2018-11-04"]
    ),
    minute=st.integers(-1440, 2 * 1440),
    zone=st.sampled_from(ZONES),
)
def test_against_the_wall_clock_minute_by_minute(start: int, length: int, day: str, minute: int, zone: str) -> None:
    quiet, tz = QuietHours(start, (start + length) % 1440), ZoneInfo(zone)
    time = int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) * 1000 + minute * MINUTE
    assert is_quiet(quiet, time, tz) == clock_says_quiet(quiet, time, tz)
    until = quiet_until(quiet, time, tz)
    if until is None:
        assert not clock_says_quiet(quiet, time, tz)
        begins = next(t for t in range(time, time + 3 * 1440 * MINUTE, MINUTE) if clock_says_quiet(quiet, t, tz))
        assert next_quiet(quiet, time, tz) == begins
    else:
        ends = next(t for t in range(time, time + 3 * 1440 * MINUTE, MINUTE) if not clock_says_quiet(quiet, t, tz))
        assert until == ends


def test_an_end_in_the_middle_of_a_minute_is_not_overshot() -> None:
    quiet, utc = QuietHours(720, 721), ZoneInfo("UTC")
    noon = 1_793_620_800_000
    assert [quiet_until(quiet, noon + ms, utc) for ms in (-1, 0, 1, 59_999, 60_000)] == [
        None, noon + 60_000, noon + 60_000, noon + 60_000, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("hold", ["9h59m59s a send sms", "10h a hold quiet_hours", "20h a send sms"]),
        ("drop", ["9h59m59s a send sms", "10h a suppress quiet_hours"]),
        ("ignore", ["9h59m59s a send sms", "10h a send sms"]),
    ],
)
def test_what_an_activity_wishes(wish: str, told: list[str]) -> None:
    rule_set = rules(f"{ORDER}limits: {{quiet_hours: {wish}}}\n", policy=NIGHT)
    assert decisions(rule_set, events("9h59m59s order", "10h order")) == told


def test_from_and_to_are_a_half_open_interval() -> None:
    rule_set = rules(ORDER + "limits: {quiet_hours: drop}\n", policy="quiet_hours: {from: '12:00', to: '13:00'}\n")
    told = decisions(rule_set, events("-1ms order", "0s order", "59m59s999ms order", "1h order"))
    assert [line.split(" ", 2)[2] for line in told] == [
        "send sms",
        "suppress quiet_hours",
        "suppress quiet_hours",
        "send sms",
    ]


@pytest.mark.parametrize(
    ("profile", "active", "policy", "released"),
    [
        ("Asia/Tokyo", "America/New_York", "UTC", "11h"),  # 21:00 at BASE
        (None, "America/New_York", "UTC", "1d1h"),  # 07:00
        (None, None, "Europe/Berlin", "19h"),  # 13:00
        ("Nowhere/Land", None, "Europe/Berlin", "19h"),
        (7, None, "Europe/Berlin", "19h"),
    ],
)
def test_whose_clock(profile: object, active: str | None, policy: str, released: str) -> None:
    zone = f"active: {{timezone: {active}}}\n" if active else ""
    rule_set = rules(ORDER + zone, policy=f"timezone: {policy}\n{NIGHT}")
    told = decisions(
        rule_set, events("0s order", "9h order", "15h30m order"), {"u1": {"phone": "1", "timezone": profile}}
    )
    sent = [line.split()[0] for line in told if "send" in line]
    assert released in sent


@pytest.mark.parametrize("channel", ["webhook", "console", "file"])
def test_what_wakes_nobody_goes_at_night(channel: str) -> None:
    rule_set = rules(f"activity: a\ntrigger: {{event: order}}\nsend: [{{channel: {channel}}}]\n", policy=NIGHT)
    assert decisions(rule_set, events("12h order")) == [f"12h a send {channel}"]


def test_white_bypasses_quiet_hours() -> None:
    rule_set = rules(ORDER, policy=NIGHT + "lists: {white: [u1]}\n")
    assert decisions(rule_set, events("12h order")) == ["12h a send sms"]


def test_a_watch_knows_no_night() -> None:
    assert decisions(rules("activity: a\ntrigger: {event: order}\n", policy=NIGHT), events("12h order")) == [
        "12h a match"
    ]
