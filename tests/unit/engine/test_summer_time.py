"""Changes of summer time, in both directions: quiet hours, holds, calendar caps and the end of a delivery's time.

All of it against the wall clock, minute by minute, and a few instants by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kairos.engine.effect import Candidate
from kairos.engine.event import Event
from kairos.engine.user.state import UserState
from tests.engine_kit import DAY, HOUR, MINUTE, engine_of, rules, run

CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-10-04"),  # by half an hour
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Asia/Beirut", "2026-03-29"),  # there is no midnight
    ("Asia/Beirut", "2026-10-25"),  # eleven at night comes twice
    ("America/Havana", "2026-03-08"),
    ("America/Havana", "2026-11-01"),  # midnight comes twice
]
DAYS_AROUND = 9
ORDER = "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@cache
def wall_clock(zone: str, day: str) -> list[datetime]:
    """What the clock shows at each minute from DAYS_AROUND before that day's UTC midnight to as long after it."""
    start = instant(f"{day}T00:00+00:00") - DAYS_AROUND * DAY
    minutes = range(start // MINUTE, (start + 2 * DAYS_AROUND * DAY) // MINUTE)
    return [datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone)) for minute in minutes]


@dataclass(frozen=True)
class Rules:
    """`quiet`: minutes of the day, from and to; `per`: days of the calendar cap; `retry`: minutes of patience."""

    quiet: tuple[int, int]
    most: int
    per: int
    retry: int | None

    @property
    def policy(self) -> str:
        start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in self.quiet)
        patience = f", on_exceed: {{retry_for: {self.retry}m}}" if self.retry else ""
        return (
            f"timezone: Asia/Tokyo\nquiet_hours: {{from: '{start}', to: '{end}'}}\ndefault_caps: [m]\n"
            f"caps: {{m: {{rules: [{{max: {self.most}, per: {self.per}d, window: calendar}}]{patience}}}}}\n"
        )

    def is_quiet(self, shown: datetime) -> bool:
        start, end = self.quiet
        minute = shown.hour * 60 + shown.minute
        return minute in range(start, end if start < end else 1440) or (end < start and minute in range(end))


@dataclass(eq=False)
class Waiting:
    since: int
    told: bool = False
    patient_until: int | None = None


def by_the_clock(wanted: Rules, clock: Sequence[datetime], orders: Sequence[int]) -> list[tuple[int, str, str | None]]:
    """(minute, outcome, reason): everything that waits is asked again each minute."""
    waiting: list[Waiting] = []
    sent: list[int] = []
    told: list[tuple[int, str, str | None]] = []
    ordered = frozenset(orders)
    for minute, shown in enumerate(clock):
        if minute in ordered:
            waiting.append(Waiting(minute))
        for one in list(waiting):
            answer = None
            if wanted.is_quiet(shown):
                answer = "quiet_hours"
            elif sum(_same_window(wanted.per, clock[other], shown) for other in sent) >= wanted.most:
                answer = "cap:m"
                one.patient_until = one.patient_until or (minute + wanted.retry if wanted.retry else minute)
            if answer == "cap:m" and minute >= (one.patient_until or 0):
                told.append((minute, "suppress", answer))
                waiting.remove(one)
            elif answer is None:
                told.append((minute, "send", None))
                sent.append(minute)
                waiting.remove(one)
            elif not one.told:
                told.append((minute, "hold", answer))
                one.told = True
    return told


def _same_window(per: int, one: datetime, other: datetime) -> bool:
    return one.date() == other.date() if per == 1 else one.isocalendar()[:2] == other.isocalendar()[:2]


MINUTES = st.integers(0, 96).map(lambda quarter: quarter * 15 % 1440)
RULES = st.builds(
    Rules,
    quiet=st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] != pair[1]),
    most=st.integers(1, 3),
    per=st.sampled_from([1, 7]),
    retry=st.sampled_from([None, 90, 1_500]),
)
NIGHT = Rules((22 * 60, 8 * 60), 2, 1, 1_500)
IN_THE_GAP = Rules((135, 165), 1, 1, None)


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@settings(max_examples=8)
@given(
    wanted=RULES,
    orders=st.lists(st.integers(-36 * 4, 36 * 4).map(lambda quarter: quarter * 15), min_size=1, max_size=12),
    weekly=st.lists(st.integers(-7 * 24, 7 * 24).map(lambda hour: hour * 60), max_size=6),
)
@example(wanted=NIGHT, orders=list(range(-1_500, 1_500, 95)), weekly=[])
@example(wanted=IN_THE_GAP, orders=list(range(-120, 300, 5)), weekly=[])
@example(wanted=Rules((1, 0), 5, 7, None), orders=list(range(-1_000, 1_000, 60)), weekly=[])
def test_as_the_wall_clock_says_minute_by_minute(
    zone: str, day: str, wanted: Rules, orders: list[int], weekly: list[int]
) -> None:
    clock, middle = wall_clock(zone, day), DAYS_AROUND * 1440
    minutes = sorted(middle + minute for minute in {*orders, *weekly})
    start = int(clock[0].timestamp()) * 1000
    given = [Event(f"e{minute}", "order", start + minute * MINUTE, "", {}, "u1") for minute in minutes]
    records = run(rules(ORDER, policy=wanted.policy), given, {"u1": {"phone": "1", "timezone": zone}})
    told = [((record.at - start) // MINUTE, record.outcome, record.reason) for record in records]
    assert all((record.at - start) % MINUTE == 0 for record in records)
    end = len(clock) - 1440  # what is held on the last day of the clock is decided after it
    expected = [line for line in by_the_clock(wanted, clock, minutes) if line[0] < end]
    assert sorted(line for line in told if line[0] < end) == sorted(expected, key=lambda line: line)


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@settings(max_examples=20)
@given(wanted=RULES, order=st.integers(-36 * 60, 36 * 60))
@example(wanted=NIGHT, order=-60)
@example(wanted=IN_THE_GAP, order=0)
def test_a_delivery_s_time_ends_before_the_first_quiet_minute_on_the_wall_clock(
    zone: str, day: str, wanted: Rules, order: int
) -> None:
    clock, place = wall_clock(zone, day), DAYS_AROUND * 1440 + order
    if wanted.is_quiet(clock[place]):
        return
    at = int(clock[place].timestamp()) * 1000
    engine = engine_of(rules(ORDER, policy=wanted.policy), {"u1": {"phone": "1", "timezone": zone}})
    effects = engine.on_event("u1", UserState(), Event("e", "order", at, "", {}, "u1"), at)
    [delivery] = [effect.delivery for effect in effects if isinstance(effect, Candidate)]
    night = next((n for n in range(1440 + 1) if wanted.is_quiet(clock[place + n])), None)
    last = at + DAY if night is None else at + night * MINUTE - 1
    assert (delivery.send_before, delivery.cut) == (last, None if night is None else "quiet_hours")


BY_HAND = [
    # zone, quiet hours, ordered, goes at: all on the zone's own clock
    ("Europe/Berlin", (135, 165), "2026-03-29T01:59+01:00", "2026-03-29T01:59+01:00"),
    ("Europe/Berlin", (135, 165), "2026-03-29T03:00+02:00", "2026-03-29T03:00+02:00"),  # 02:15 never comes
    ("Europe/Berlin", (60, 150), "2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00"),  # nor does 02:30
    ("Europe/Berlin", (135, 300), "2026-03-29T01:59+01:00", "2026-03-29T01:59+01:00"),
    ("Europe/Berlin", (135, 300), "2026-03-29T03:00+02:00", "2026-03-29T05:00+02:00"),
    ("Europe/Berlin", (135, 165), "2026-10-25T02:20+02:00", "2026-10-25T02:45+02:00"),
    ("Europe/Berlin", (135, 165), "2026-10-25T02:50+02:00", "2026-10-25T02:50+02:00"),
    ("Europe/Berlin", (135, 165), "2026-10-25T02:20+01:00", "2026-10-25T02:45+01:00"),  # and once more
    ("Europe/Berlin", (1320, 480), "2026-03-28T23:00+01:00", "2026-03-29T08:00+02:00"),
    ("Europe/Berlin", (1320, 480), "2026-10-24T23:00+02:00", "2026-10-25T08:00+01:00"),
    ("America/New_York", (1320, 480), "2026-03-07T23:00-05:00", "2026-03-08T08:00-04:00"),
    ("America/New_York", (60, 90), "2026-11-01T01:15-05:00", "2026-11-01T01:30-05:00"),
    ("Australia/Lord_Howe", (120, 140), "2026-10-04T01:59+10:30", "2026-10-04T01:59+10:30"),
    ("Australia/Lord_Howe", (120, 140), "2026-10-04T02:30+11:00", "2026-10-04T02:30+11:00"),
    ("Australia/Lord_Howe", (90, 110), "2026-04-05T01:40+10:30", "2026-04-05T01:50+10:30"),
]


@pytest.mark.parametrize(("zone", "quiet", "ordered", "goes"), BY_HAND)
def test_by_hand(zone: str, quiet: tuple[int, int], ordered: str, goes: str) -> None:
    given = [Event("e", "order", instant(ordered), "", {}, "u1")]
    rule_set = rules(ORDER, policy=Rules(quiet, 1, 1, None).policy)
    records = run(rule_set, given, {"u1": {"phone": "1", "timezone": zone}})
    assert [record.at for record in records if record.outcome == "send"] == [instant(goes)]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
@pytest.mark.parametrize("per", [1, 7])
def test_a_day_has_23_or_25_hours_and_so_its_week(day: str, hours: int, per: int) -> None:
    """One send at the very start of the day or week; the next is free at the start of the next one."""
    zone = ZoneInfo("Europe/Berlin")
    first = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=zone)
    start = int(first.timestamp() * 1000)
    end = start + hours * HOUR
    if per == 7:
        start -= first.weekday() * DAY
        end += (6 - first.weekday()) * DAY
    given = [Event(f"e{at}", "order", at, "", {}, "u1") for at in (start, end - 1, end)]
    rule_set = rules(ORDER, policy=Rules((1, 2), 1, per, None).policy)
    records = run(rule_set, given, {"u1": {"phone": "1", "timezone": "Europe/Berlin"}})
    assert [(record.at, record.outcome) for record in records] == [
        (start, "send"), (end - 1, "suppress"), (end, "send"),
    ]  # fmt: skip
