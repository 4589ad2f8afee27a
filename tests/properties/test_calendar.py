"""Slots against a slow twin, which walks through every minute of the world's clock and looks at the wall."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.rule.model import Schedule
from kairos.engine.schedule.calendar import Slot, slots

MINUTE = 60_000
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati")
DATES = ("2024-02-29", "1999-12-31", "2000-01-01", "2026-03-29", "2026-10-25", "2020-06-15", "nonsense", None)
STARTS = [
    datetime.fromisoformat(f"{day}T00:00Z")
    for day in ("2026-03-27", "2026-10-23", "2027-02-26", "2028-02-27", "2026-12-30", "2026-04-03")
]

minutes = st.sampled_from([0, 2 * 60 + 30, 2 * 60, 9 * 60, 23 * 60 + 59, 1 * 60 + 45])
SCHEDULES = st.one_of(
    st.builds(Schedule, st.just("daily"), minutes=minutes),
    st.builds(Schedule, st.just("weekly"), minutes=minutes, weekdays=st.sampled_from([(0,), (3, 6), (0, 1, 2, 4)])),
    st.builds(Schedule, st.just("monthly"), minutes=minutes, month_day=st.sampled_from([1, 28, 29, 30, 31])),
    st.builds(Schedule, st.just("at"), minutes=minutes, day=st.sampled_from(DATES[3:5])),
    st.builds(Schedule, st.just("yearly"), minutes=minutes, field=st.just("d"), shift=st.integers(-3, 3)),
    st.builds(Schedule, st.just("date"), minutes=minutes, field=st.just("d"), shift=st.integers(-3, 3)),
)


def slow(schedule: Schedule, profile: dict[str, Any], zone: ZoneInfo, start: int, end: int) -> list[Slot]:
    """Minute by minute: a slot comes when the wall first shows its time, or has just jumped over it."""
    found, shown = [], _wall(start - 3 * 24 * 60 * MINUTE, zone)
    for at in range(start - 3 * 24 * 60 * MINUTE + MINUTE, end + 1, MINUTE):
        wall = _wall(at, zone)
        while shown < wall:
            shown += timedelta(minutes=1)
            if shown.hour * 60 + shown.minute == schedule.minutes and _has(schedule, profile, shown.date()):
                gap = wall - shown  # what was jumped over comes as much later as the gap is long
                when = at if not gap else _after_the_gap(at, wall, shown, zone)
                if start <= when <= end:
                    found.append(Slot(when, f"{shown:%Y-%m-%dT%H:%M}"))
    return found


def _after_the_gap(at: int, wall: datetime, missing: datetime, zone: ZoneInfo) -> int:
    """`wall` is what the clock shows after the jump, `at` when; before the jump it showed the minute before the gap."""
    length = wall - _wall(at - MINUTE, zone) - timedelta(minutes=1)
    return at + ((missing + length) - wall) // timedelta(minutes=1) * MINUTE


def _wall(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, zone).replace(tzinfo=None)


def _has(schedule: Schedule, profile: dict[str, Any], day: date) -> bool:
    try:
        known = date.fromisoformat(str(profile.get(schedule.field or "")))
    except ValueError:
        known = None
    base = day - timedelta(days=schedule.shift)
    match schedule.kind:
        case "at":
            return day.isoformat() == schedule.day
        case "weekly":
            return day.weekday() in schedule.weekdays
        case "monthly":
            last = (day + timedelta(days=1)).day == 1
            return day.day == schedule.month_day or (last and day.day < schedule.month_day)
        case "yearly":
            on = known is not None and (base.month, base.day) == (known.month, known.day)
            leap = known is not None and (known.month, known.day) == (2, 29)
            return on or (leap and (base.month, base.day) == (2, 28) and (base + timedelta(days=1)).day == 1)
        case "date":
            return known is not None and base == known
    return True


@settings(max_examples=60)
@given(SCHEDULES, st.sampled_from(ZONES), st.sampled_from(DATES), st.sampled_from(STARTS), st.integers(1, 5))
def test_slots_come_when_the_wall_clock_says_so(
    schedule: Schedule, zone: str, field: str | None, start: datetime, length: int
) -> None:
    profile = {"timezone": zone, "d": field}
    first = int(start.timestamp() * 1000)
    last = first + length * 24 * 60 * MINUTE
    got = list(slots(schedule, profile, ZoneInfo("UTC"), first, last))
    assert got == sorted(slow(schedule, profile, ZoneInfo(zone), first, last))
