"""Benchmarks of what serves, by figures that are made up; the pages have what was recorded, and a command for it."""

from __future__ import annotations

import re
from collections import Counter
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from benchmarks import availability, console, flood
from benchmarks.availability import AVAILABILITY, KEPT, Measured
from benchmarks.flood import Case, Sent
from benchmarks.kit.page import PAGE, note
from benchmarks.kit.sides import ROOT

PLACES = set(re.findall(r"<!-- benchmarks\.(\S+) -->", PAGE.read_text()))
BENCH = re.search(r"^BENCHMARKS := (.*)$", (ROOT / "Makefile").read_text(), re.M)


def test_make_bench_measures_whatever_the_page_has_a_place_for() -> None:
    assert BENCH is not None
    listed = BENCH[1].split()
    assert sorted(listed) == sorted(set(listed))
    assert {*listed, "overview"} == PLACES
    assert all(find_spec(f"benchmarks.{name}") for name in listed)


def sent(ms: int, refused: int = 0) -> Sent:
    return Sent([ms / 1000] * 50, Counter({200: 50, 503: refused}))


def test_what_a_flood_costs_is_the_median_over_pairs_of_turns() -> None:
    """One pair met a stall of the machine."""
    calm, floods = [sent(10), sent(10), sent(400)], [sent(15), sent(900), sent(500, refused=3)]
    found = flood.Result(Case("a rate", 9.0), calm, floods, [Sent([], Counter({200: 20, 429: 80}))] * 3)
    (goal,) = flood.results([found])
    assert (goal.ours, goal.goal, goal.met) == (1.5, "< 2", True)
    assert flood.table([found]).splitlines()[-1].endswith("| 1.50 | 10 ms | 500 ms | 3 | 20% | 80% | 0% |")


def times(first: float, grown: float, later: float) -> Any:
    made = console.Times.__new__(console.Times)
    made.first, made.grown, made.later = first, grown, later
    return made


def test_the_slowest_screen_counts_at_its_slowest() -> None:
    screens = {"Activities": times(480, 90, 30), "Calendar": times(200, 501, 20)}
    crowds: dict[str, Any] = {"with pauses": SimpleNamespace(pages=1_200, rate=6.5, median=40.0, worst=210.0)}
    slowest, at_once = console.results(screens, crowds)
    assert (slowest.ours, slowest.met, at_once.ours, at_once.met) == (501, False, 210, True)
    text = console.table("here:", screens, {}, crowds, 50)
    assert "| Calendar | 200 | 501 | 20 |" in text
    assert "| with pauses | 1,200 | 6.5 | 40 | 210 |" in text


def test_a_gap_is_told_by_its_median_and_its_longest() -> None:
    row = availability.table([Measured("worker", [900, 1_100, 5_000], [], 300, 2, "a machine")]).splitlines()[-1]
    assert row == "| worker | 3 | 1.1 s | 5.0 s | - | - | 0.3 s | 2 | a machine |"


def test_kills_share_a_world_but_those_that_need_another_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade is a quarter as often."""
    worlds: list[Any] = []
    monkeypatch.setattr(availability, "_in_one_world", lambda *given: worlds.append(given) or [])
    assert list(availability.run(["gateway", "JobManager", "loader", "upgrade"], 20)) == []
    assert worlds == [
        (["gateway", "loader"], 20, {"taskmanagers": 2}),
        (["JobManager"], 20, {"taskmanagers": 2, "standby": True}),
        (["upgrade"], 5, {"taskmanagers": 1}),
    ]


def test_the_page_of_availability_has_what_is_recorded() -> None:
    recorded = msgspec.json.decode(KEPT.read_bytes(), type=list[Measured])
    page = AVAILABILITY.read_text()
    assert note(page, "benchmarks.availability", availability.table(recorded)) == page


@pytest.mark.parametrize("name", [*availability.VICTIMS, availability.UPGRADE])
def test_what_is_killed_is_in_the_table_of_gaps(name: str) -> None:
    spoken = {
        "upgrade": "`upgrade` is [`kairos upgrade`]",
        "worker": "worker of a channel",
        "alarms": "business alarms",
    }
    assert spoken.get(name, name).lower() in AVAILABILITY.read_text().lower()
