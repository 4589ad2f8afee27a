"""The matcher against the facts of Flink CEP's own tests."""

from __future__ import annotations

from collections import Counter

import pytest

from kairos.engine.pattern import check_pattern
from tests.conformance.harness import ids, run
from tests.conformance.table import Row, read_table

ROWS = read_table()


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_matches_are_those_of_flink(row: Row) -> None:
    assert check_pattern(row.case.pattern) == []
    assert row.flat(ids(run(row.case))) == Counter(row.expected)


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
