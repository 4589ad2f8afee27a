"""`kairos plans` and `plans show` fit a terminal and leave nothing out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.cli_kit import run

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("arguments", [[], ["show", "unpaid"], ["show", "price_drop"], ["show", "cart_series"]])
def test_plans_fit_eighty_columns(arguments: list[str]) -> None:
    result = run("plans", *arguments, "--plans", ROOT / "plans", "--rules", ROOT / "rules")
    assert result.exit_code == 0
    told = result.stdout.partition("\nactivity:")[0].partition("\njourney:")[0]  # the file that follows is as it is
    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert "…" not in told
