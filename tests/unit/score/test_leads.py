"""`kairos leads`: fit apart from interest, each with its reasons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.cli_kit import run
from tests.unit.warehouse.warehouse_kit import DAY, NOON, event, fill

GRADES = """interest: metric.lead_score
A: profile.employees >= 200
B: profile.employees >= 50
"""
METRICS = """lead_score:
  decay: {points: {page: 1, demo: 10, order: amount / 10}, half_life: 14d, max_per_day: 20}
bought: {count: order}
by_shop: {count: order, per: shop}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    events = [
        event("d1", NOON - 14 * DAY, type="demo", user_id="u1"),
        event("o1", NOON - 7 * DAY, type="order", user_id="u1", props={"amount": 50}),
        event("o2", NOON, type="order", user_id="u1", props={"amount": 200}),
        event("d2", NOON, type="demo", user_id="u2"),
        event("d3", NOON, type="demo", user_id="u3"),
        event("x1", NOON, type="other", user_id="u4"),
        event("d4", NOON + DAY, type="demo", user_id="u4"),
    ]
    profiles = {"u1": {"employees": 60}, "u2": {"employees": 500}, "u3": {"employees": 300}, "u4": {"employees": 900},
                "u5": {}}  # fmt: skip
    fill(tmp_path / "w", events=events, profiles=profiles)
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text("timezone: UTC\n")
    (rules / "metrics.yaml").write_text(METRICS)
    (rules / "grades.yaml").write_text(GRADES)
    return tmp_path


def leads(place: Path, *options: str) -> list[dict[str, object]]:
    where = ["--warehouse", str(place / "w"), "--rules", str(place / "rules"), "--as-of", "2026-11-02T12:00Z"]
    done = run("leads", *where, *options, "--format", "json")
    assert done.exit_code == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_leads_come_by_grade_then_by_interest_with_the_reasons_of_both(place: Path) -> None:
    found = leads(place)
    assert [(one["user_id"], one["grade"]) for one in found] == [
        ("u2", "A"), ("u3", "A"), ("u4", "A"), ("u1", "B"), ("u5", "D"),
    ]  # fmt: skip
    assert found[0]["reasons"] == ["profile.employees >= 200", "demo 10.0, last 2026-11-02"]
    assert found[3]["interest"] == pytest.approx(28.5355, abs=1e-4), "the contract's example"
    assert found[3]["reasons"] == [
        "profile.employees >= 50", "order 23.5, last 2026-11-02", "demo 5.0, last 2026-10-19",
    ]  # fmt: skip
    assert (found[2]["interest"], found[2]["reasons"]) == (0.0, ["profile.employees >= 200"]), "later is not known"


def test_leads_are_narrowed_by_grade_interest_and_number(place: Path) -> None:
    assert [one["user_id"] for one in leads(place, "--at-least", "20")] == ["u1"]
    assert [one["user_id"] for one in leads(place, "--grade", "A", "--most", "2")] == ["u2", "u3"]
    wrong = run("leads", "--grade", "E")
    assert (wrong.exit_code, "expected A, B, C, D" in wrong.stderr) == (2, True)


def test_interest_may_be_any_metric_or_a_field_of_the_profile(place: Path) -> None:
    grades = place / "rules" / "grades.yaml"
    grades.write_text("interest: metric.bought\nA: profile.employees > 0\n")
    assert [(one["user_id"], one["interest"]) for one in leads(place)][:2] == [("u1", 2.0), ("u2", 0.0)]
    grades.write_text("interest: profile.employees\nA: profile.employees > 0\n")
    assert [one["user_id"] for one in leads(place)] == ["u4", "u2", "u3", "u1", "u5"]
    grades.write_text("A: profile.employees > 0\n")
    assert {one["interest"] for one in leads(place)} == {None}


def test_what_is_no_number_or_not_there_is_told(place: Path) -> None:
    where = ["--warehouse", str(place / "w"), "--rules", str(place / "rules")]
    (place / "rules" / "grades.yaml").write_text("interest: metric.by_shop\nA: profile.employees > 0\n")
    assert "has a value for each shop" in run("leads", *where).stderr
    (place / "rules" / "grades.yaml").unlink()
    assert "there is no grades.yaml" in run("leads", *where).stderr
