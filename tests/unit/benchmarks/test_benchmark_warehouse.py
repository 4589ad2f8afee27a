"""The benchmark of loading a warehouse runs, and measures what it says."""

from __future__ import annotations

from benchmarks.warehouse_load import run, table


def test_every_case_runs_and_is_a_row() -> None:
    measured = run(300, 30)
    assert [name for name, _ in measured] == [
        "the floor: decode and sort",
        "into an empty warehouse",
        "the same file once more",
    ]
    assert all(m.cpu > 0 and m.memory > 0 for _, m in measured)
    rows = table(300, 30, measured).splitlines()
    assert len([row for row in rows if row.startswith("| ")]) == 1 + len(measured)
