"""The overview shows what is recorded, and says what was measured and what was drawn out."""

from __future__ import annotations

import re

import pytest

from benchmarks.kit.page import PAGE
from benchmarks.kit.pictures import delays, goals, pictures, throughput
from benchmarks.kit.results import Result, at_least, at_most, attained, below, latest
from benchmarks.overview import PICTURES, table

RECORDED = {result.measure: result for result in latest()}


@pytest.mark.parametrize(
    ("result", "expected", "met"),
    [
        (at_least("speed", 30, 10, 2), 1.5, True),
        (at_least("speed", 10, 10, 2), 0.5, False),
        (below("size", 100, 200), 2, True),
        (below("size", 200, 200), 1, False),
        (at_most("size", 200, 200), 1, True),
        (at_most("size", 400, 200), 0.5, False),
    ],
)
def test_how_far_a_goal_is_reached(result: Result, expected: float, met: bool) -> None:
    assert attained(result) == expected
    assert result.met == met


def test_every_goal_is_in_the_picture_and_in_the_table() -> None:
    bars, text = goals(RECORDED).bars, table(latest())
    assert [bar.name for bar in bars] == list(RECORDED)
    assert all(f"| {name} |" in text for name in RECORDED)
    assert all(bar.met or bar.value <= 1 for bar in bars)


def test_what_was_drawn_out_is_marked() -> None:
    lines = {line.name: line for line in throughput(RECORDED).lines}
    assert [x for x, _ in lines["Kairos"].measured] == [1, 10, 100, 1_000]
    assert [x for x, _ in lines["MATCH_RECOGNIZE"].measured] == [1, 10]
    assert [x for x, _ in lines["MATCH_RECOGNIZE"].drawn_out] == [100, 1_000]


def test_delays_stand_beside_their_goals_and_the_floor_has_none() -> None:
    found = {(bar.name, bar.goal) for bar in delays(RECORDED).bars}
    assert {("Kairos, median", 300), ("Kairos, 99 %", 700), ("the floor, median", None)} <= found


def test_the_page_shows_every_picture() -> None:
    shown = re.findall(r"\(images/performance/(\w+)\.svg\)", PAGE.read_text())
    assert sorted(shown) == sorted(pictures(RECORDED))
    assert sorted(shown) == sorted(file.stem for file in PICTURES.glob("*.svg"))
