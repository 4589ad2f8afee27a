"""Metrics against the definition: 64 panes of a 64th of the window, aligned to the epoch."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.metric.aggregates import AGGREGATES
from kairos.engine.metric.compiled import CompiledMetric
from kairos.engine.metric.key import value_key
from kairos.engine.metric.spec import Metric
from tests.engine_kit import BASE, decisions, events, rules

WINDOW = 640_000  # panes of 10 s
VALUES = st.one_of(
    st.integers(-5, 5),
    st.sampled_from([1.0, 2.5, True, "1", "x", "", "\0", "1\0", "x\0sx", None, [1], 10**18, -(2**63), 2**63 - 1]),
)


def by_definition(function: str, seen: list[tuple[int, Any]], window: int | None, now: int) -> Any:
    """`seen`: (time, value) in the order of arrival."""
    if window is not None:
        first_pane = now * 64 // window - 63
        seen = [(time, value) for time, value in seen if first_pane <= time * 64 // window <= now * 64 // window]
    if function == "count":
        return len(seen)
    there = [(time, value) for time, value in seen if value is not None]
    numbers = [value for _, value in there if type(value) in (int, float)]
    if function == "sum":
        return sum(numbers)
    if function == "distinct":
        return len({(type(v) is bool, type(v) is str, str(v) if type(v) is not float else f"{v:g}") for _, v in there})
    if function in ("last", "first"):
        order = sorted(there, key=lambda pair: pair[0])
        return (order[-1] if function == "last" else order[0])[1] if order else None
    if not numbers:
        return None
    return {"avg": sum(numbers) / len(numbers), "min": min(numbers), "max": max(numbers)}[function]


@given(
    function=st.sampled_from(sorted(AGGREGATES)),
    window=st.sampled_from([WINDOW, None]),
    steps=st.lists(st.tuples(st.integers(-200_000, 500_000), VALUES), max_size=30),
    later=st.integers(0, 2 * WINDOW),
)
def test_against_the_definition(function: str, window: int | None, steps: list[tuple[int, Any]], later: int) -> None:
    """Events in any order, late ones too; the state goes through its encoding before each."""
    metric = CompiledMetric(Metric("m", function, ("e",), None if function == "count" else "v", window=window))
    cells: dict[int, Any] = {}
    seen: list[tuple[int, Any]] = []
    time = BASE
    for step, value in steps:
        time = max(time + step, BASE)
        metric.add(cells, Event(f"e{len(seen)}", "e", time, "", {"v": value}))
        seen.append((time, value))
        cells = msgspec.msgpack.decode(msgspec.msgpack.encode(cells), type=dict[int, Any], strict=False)
    now = max((time for time, _ in seen), default=BASE) + later
    got, wanted = metric.value(cells, now), by_definition(function, seen, window, now)
    large = sum(abs(value) for _, value in seen if type(value) in (int, float))  # what does not fit is a float
    assert got == wanted or got == pytest.approx(wanted, abs=1e-15 * large)
    assert len(cells) <= 65
    if metric.lapsed(cells, now):
        assert wanted == by_definition(function, [], window, now)


def test_what_was_distinct_in_states_up_to_version_9_is_so_still() -> None:
    metric, cells = CompiledMetric(Metric("m", "distinct", ("e",), "v", window=WINDOW)), dict[int, Any]()
    values = ["a", "b", "x\0sy"]
    first = BASE * 64 // WINDOW
    cells |= {first: [value_key(value) for value in values], first + 1: [value_key("c")]}
    assert metric.value(cells, BASE + 10_000) == 4
    for value in [*values, "c", "d"]:
        metric.add(cells, Event("e", "e", BASE, "", {"v": value}))
    assert metric.value(cells, BASE + 10_000) == 5


@given(st.lists(VALUES, min_size=2, max_size=2))
def test_equal_values_have_equal_keys(pair: list[Any]) -> None:
    one, two = pair
    same = one == two and (type(one) is bool) == (type(two) is bool)
    assert (value_key(one) == value_key(two)) == same


@pytest.mark.parametrize("value", [1e300, 2.0**63, -(2.0**64)])
def test_numbers_of_any_size_have_keys(value: float) -> None:
    assert value_key(value) != value_key(-value)


def test_sums_beyond_64_bits_go_on_as_floats_and_overflow_is_null() -> None:
    metric = CompiledMetric(Metric("m", "sum", ("e",), "v"))
    cells: dict[int, Any] = {}
    for value in (2**63 - 1, 2**63 - 1):
        metric.add(cells, Event("e", "e", BASE, "", {"v": value}))
    assert metric.value(cells, BASE) == float(2**64 - 2)
    msgspec.msgpack.encode(cells)
    for _ in range(2):
        metric.add(cells, Event("e", "e", BASE, "", {"v": 1.7e308}))
    assert metric.value(cells, BASE) is None


PAY = "activity: a\ntrigger: {event: pay, where: %s}\n"


@pytest.mark.parametrize(
    ("metrics", "condition", "given_", "matches"),
    [
        ("m: {count: order, window: 1h}", "metric.m == 2", ["0s order", "1m order", "2m pay"], True),
        ("m: {count: order, window: 64s}", "metric.m == 1", ["0s order", "63s999ms pay"], True),
        ("m: {count: order, window: 64s}", "metric.m == 0", ["0s order", "64s pay"], True),
        ("m: {count: order, window: 64s}", "metric.m == 0", ["0s999ms order", "63s999ms pay"], False),
        ("m: {count: pay}", "metric.m == 1 and prior.m == 0", ["0s pay"], True),
        ("m: {sum: n, of: [order, pay]}", "metric.m == 3 and prior.m == 1", ["0s order n=1", "1s pay n=2"], True),
        (
            "m: {sum: n, of: order, where: ok}",
            "metric.m == 1",
            ["0s order n=1 ok=true", "1s order n=2", "2s pay"],
            True,
        ),
        ("m: {last: event.time, of: pay}", "metric.m > prior.m", ["0s pay", "1s pay"], True),
        ("m: {avg: n, of: order}", "not (metric.m > 0)", ["0s pay"], True),
        ("m: {first: n, of: order}", "metric.m == 7", ["0s order n=7", "1s order n=8", "2s pay"], True),
        (
            "m: {distinct: n, of: order}",
            "metric.m == 2",
            ["0s order n=7", "1s order n=8", "2s order n=7", "3s pay"],
            True,
        ),
    ],
)
def test_in_a_rule(metrics: str, condition: str, given_: list[str], matches: bool) -> None:
    told = decisions(rules(PAY % condition, metrics=metrics + "\n"), events(*given_))
    assert bool(told) == matches


def test_per_is_read_with_the_value_of_the_activity_s_own_per() -> None:
    text = "activity: a\ntrigger: {event: view, per: category, where: metric.bought == 1}\n"
    rule_set = rules(text, metrics="bought: {count: order, per: category, window: 30d}\n")
    bought = ['0s order category=["x","y","x"]', "1s order category=y", "6s order", "7s order category=z user=u2"]
    viewed = ["2s view category=x", "3s view category=y", "4s view", '5s view category=["y","x"]', "8s view category=z"]
    given = events(*bought, *viewed)
    assert decisions(rule_set, given) == ["2s a match", "5s a match"]
