"""`kairos measure` as text: a table where it fits, a field a line where it does not."""

from __future__ import annotations

from kairos.apps.view.measures import table_lines

ROWS = [
    {"arm": "short", "n": 1_200, "interval": [0.01, 0.25], "lost": {"control": 3, "cap:marketing": 4}},
    {"arm": "long", "n": 7, "interval": None, "lost": {f"reason_{number}": number for number in range(20)}},
]


def test_a_table_that_fits_is_one() -> None:
    assert table_lines(ROWS) == table_lines(ROWS, 1_000)
    assert len(table_lines(ROWS)) == 3


def test_a_wider_one_stands_upright_and_loses_nothing() -> None:
    lines = table_lines(ROWS, 80)
    assert max(map(len, lines)) <= 80
    assert lines[:4] == ["  arm       short", "  n         1,200", "  interval  [0.01, 0.25]",
                         "  lost      control 3, cap:marketing 4"]  # fmt: skip
    assert lines[4] == ""
    text = " ".join(" ".join(lines).split())
    assert all(f"reason_{number} {number}" in text for number in range(20))
