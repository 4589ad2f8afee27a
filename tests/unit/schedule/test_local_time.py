"""Local times against a calendar that anybody can read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.schedule.local_time import day_of, instant, minutes_of, next_at

BERLIN, SHANGHAI, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai"), ZoneInfo("Australia/Lord_Howe")
MONDAY = date(2026, 11, 2)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "minutes", "zone", "expected"),
    [
        (date(2026, 11, 2), 600, SHANGHAI, "2026-11-02T02:00+00:00"),
        (date(2026, 3, 29), 150, BERLIN, "2026-03-29T01:30+00:00"),  # 02:30 is skipped: 03:30
        (date(2026, 10, 25), 150, BERLIN, "2026-10-25T00:30+00:00"),  # 02:30 comes twice: the first
        (date(2026, 10, 4), 135, LORD_HOWE, "2026-10-03T15:45+00:00"),  # the gap is half an hour: 02:45
    ],
)
def test_a_day_and_a_time_are_one_instant(day: date, minutes: int, zone: ZoneInfo, expected: str) -> None:
    assert instant(day, minutes, zone) == ms(expected)


@pytest.mark.parametrize(
    ("after", "minutes", "zone", "weekdays", "expected"),
    [
        ("2026-11-02T09:59+08:00", 600, SHANGHAI, (), "2026-11-02T10:00+08:00"),
        ("2026-11-02T10:00+08:00", 600, SHANGHAI, (), "2026-11-03T10:00+08:00"),  # strictly after
        ("2026-11-02T10:00+08:00", 600, SHANGHAI, (0,), "2026-11-09T10:00+08:00"),
        ("2026-11-02T10:00+08:00", 600, SHANGHAI, (0, 2), "2026-11-04T10:00+08:00"),
        ("2026-03-28T03:00+01:00", 150, BERLIN, (), "2026-03-29T03:30+02:00"),
    ],
)
def test_the_next_such_time(after: str, minutes: int, zone: ZoneInfo, weekdays: tuple[int, ...], expected: str) -> None:
    assert next_at(ms(after), minutes, zone, weekdays) == ms(expected)


def test_not_before_a_day() -> None:
    assert next_at(ms("2026-11-02T21:00+08:00"), 600, SHANGHAI, (), date(2026, 11, 4)) == ms("2026-11-04T10:00+08:00")


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)), st.integers(0, 1439), st.sampled_from([BERLIN, LORD_HOWE])
)
def test_the_next_time_shows_on_the_clock_or_follows_a_gap(moment: datetime, minutes: int, zone: ZoneInfo) -> None:
    after = int(moment.replace(tzinfo=UTC).timestamp() * 1000)
    at = next_at(after, minutes, zone)
    assert after < at <= after + 25 * 3_600_000 + 3_600_000
    shown = minutes_of(at, zone)
    assert shown == minutes or instant(day_of(at, zone), minutes, zone) == at
