"""The picture in the README is what the commands beside it draw."""

from __future__ import annotations

from pathlib import Path

from kairos.apps.native.settings import data_folder
from kairos.usecases.operation.dataset.clickstream import prepare
from tests.unit.cli.cli_kit import run

ROOT = Path(__file__).parents[3]


def test_the_picture_is_fresh(tmp_path: Path) -> None:
    data = prepare(data_folder() / "data")
    rules, decisions, warehouse = ROOT / "rules", tmp_path / "decisions.jsonl", tmp_path / "warehouse"
    people = ("--profiles", data.profiles)
    run("simulate", rules, data.events, *people, "--out", decisions)
    run("warehouse", "load", "--into", warehouse, "--rules", rules, "--events", data.events, "--decisions", decisions,
        *people)  # fmt: skip
    drawn = run("report", tmp_path, "--rules", rules, "--warehouse", warehouse, "--format", "svg")
    assert drawn.stdout == (ROOT / "docs" / "images" / "effects.svg").read_text(encoding="utf-8")
