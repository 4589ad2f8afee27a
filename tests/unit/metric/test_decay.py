"""`decay`: four numbers a user, whatever happened."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.metric.compiled import CompiledMetric
from kairos.engine.metric.decaying import LEAST, DecayingMetric
from kairos.engine.metric.spec import Decay, Metric
from tests.engine_kit import BASE, DAY, HOUR, decisions, events, rules

HALF = 14 * DAY


def lead(most: float | None = None, zone: str = "UTC") -> DecayingMetric:
    points: dict[str, int | float | str] = {"page": 1, "demo": 10, "order": "amount / 10", "left": -5}
    return DecayingMetric(Decay(points, HALF, most), ZoneInfo(zone))


def happened(type_: str, at: int, amount: object = None) -> Event:
    return Event(f"{type_}{at}", type_, BASE + at, "", {"amount": amount})


def after(metric: DecayingMetric, *seen: Event) -> dict[object, object]:
    cells: dict[object, object] = {}
    for event in seen:
        metric.add(cells, event)
    return cells


def test_the_numbers_of_the_contract() -> None:
    metric = lead(20)
    cells = after(metric, happened("order", 0, 100), happened("order", 7 * DAY, 50), happened("order", 14 * DAY, 200))
    assert round(metric.value(cells, BASE + 14 * DAY), 4) == 28.5355
    assert round(metric.value(cells, BASE + 28 * DAY), 4) == 14.2678
    assert metric.value(cells, BASE + round(21.1785 * DAY)) > 20 > metric.value(cells, BASE + round(21.1787 * DAY))


@given(
    seen=st.lists(st.tuples(st.integers(0, 100 * 24), st.sampled_from(["page", "demo", "left"])), max_size=12),
    now=st.integers(0, 200 * 24),
)
def test_against_the_sum_of_what_is_left_of_each(seen: list[tuple[int, str]], now: int) -> None:
    metric, points = lead(), {"page": 1, "demo": 10, "left": -5}
    seen = sorted((hour, type_) for hour, type_ in seen if hour <= now)
    cells = after(metric, *(happened(type_, hour * HOUR) for hour, type_ in seen))
    expected = sum(points[type_] * 0.5 ** ((now - hour) * HOUR / HALF) for hour, type_ in seen)
    assert metric.value(cells, BASE + now * HOUR) == pytest.approx(expected, abs=1e-6)


@given(order=st.permutations(range(4)))
def test_what_comes_late_is_worth_what_is_left_of_it(order: list[int]) -> None:
    seen = [happened("demo", hours * HOUR) for hours in (0, 100, 300, 301)]
    metric = lead()
    now = BASE + 400 * HOUR
    in_order, shuffled = after(metric, *seen), after(metric, *(seen[place] for place in order))
    assert metric.value(shuffled, now) == pytest.approx(metric.value(in_order, now))


def test_no_more_a_day_than_its_limit_on_the_clock_of_the_policy() -> None:
    for zone, hours, expected in (
        ("UTC", 11, 20.0),
        ("UTC", 12, 30.0),
        ("Asia/Shanghai", 3, 20.0),
        ("Asia/Shanghai", 4, 30.0),
    ):
        metric = lead(20, zone)  # BASE is noon in UTC, eight in the evening in Shanghai
        cells = after(
            metric, happened("demo", 0), happened("demo", 1), happened("page", 2), happened("demo", hours * HOUR)
        )
        assert metric.value(cells, BASE + hours * HOUR) == pytest.approx(expected, rel=0.1)


def test_what_is_no_number_gives_no_points() -> None:
    metric = lead()
    cells = after(
        metric, happened("order", 0, "much"), happened("order", 1), happened("order", 2, 10**400 if False else 50)
    )
    assert metric.value(cells, BASE + 2) == pytest.approx(5)


def test_it_is_forgotten_when_nothing_is_left_and_counts_as_before_until_then() -> None:
    metric = CompiledMetric(Metric("m", "decay", ("demo",), decay=Decay({"demo": 10}, HOUR)))
    cells: dict[object, object] = {}
    metric.add(cells, happened("demo", 0))
    end = metric.lapses_at(cells)
    assert end is not None
    assert metric.value(cells, end) == 0.0
    assert metric.value(cells, end - HOUR) >= LEAST
    assert metric.lapsed(cells, end)
    assert not metric.lapsed(cells, end - 1)


METRICS = "lead: {decay: {points: {page: 1, demo: 10, order: amount / 10}, half_life: 14d}}\n"


def test_in_rules_it_is_a_number_and_nobody_has_none_of_it() -> None:
    asked = rules(
        "activity: a\ntrigger: {event: ask, where: metric.lead >= 9}\n",
        "activity: b\ntrigger: {event: demo, where: prior.lead < 1 and metric.lead > 1}\n",
        "activity: c\ntrigger: {event: ask, where: metric.lead == 0}\n",
        metrics=METRICS,
    )
    told = decisions(asked, events("0s ask", "1s demo", "1h ask", "2h demo", "30d ask"), users=False)
    assert told == ["0s c match", "1s b match", "1h a match"]
