"""The benchmark of simulate runs, and measures what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kit.page import PAGE, note
from benchmarks.simulate import TYPES, hundred_rules, run, table
from kairos.adapters.rules.files import read_folder
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load


def test_every_case_runs_and_is_a_row() -> None:
    measured = run(300, 30)
    rows = table(300, 30, measured).splitlines()
    assert [name for name, _ in measured] == [
        "the floor: decode and sort",
        "one simple rule",
        "100 rules, an event touches 3",
    ]
    assert all(m.cpu > 0 and m.memory > 0 for _, m in measured)
    assert len([row for row in rows if row.startswith("| ")]) == 1 + len(measured)


@pytest.mark.parametrize("name", ["benchmarks.simulate", "benchmarks.latency", "benchmarks.job.throughput"])
def test_the_table_goes_to_its_place_on_the_page(name: str) -> None:
    page = PAGE.read_text()
    once = note(page, name, "| table |")
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    assert note(once, name, "| table |") == once
    assert f"{begin}\n| table |\n{end}" in once
    assert once.partition(begin)[0] == page.partition(begin)[0]
    assert once.partition(end)[2] == page.partition(end)[2]


def test_a_page_without_that_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for other"):
        note("# Performance\n", "other", "| table |")


def test_an_event_touches_three_of_a_hundred_rules(tmp_path: Path) -> None:
    loaded = load(read_folder(hundred_rules(tmp_path)))
    assert loaded.rules is not None
    assert len(loaded.rules.activities) == 100
    by_type = Simulation(loaded.rules).program.by_type
    assert {len(by_type[name].touched) for name in TYPES} == {3}
