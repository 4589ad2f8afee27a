"""GrowthBook's gbstats 0.8.0 as oracle: its answers (gbstats_vectors.json) and ours agree to 1e-9."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kairos.engine.measure.lift import lift, theta_of
from kairos.engine.measure.statistics.interval import (
    always_valid_half_width,
    around,
    degrees_of_freedom,
    fixed_half_width,
    half_width,
)
from kairos.engine.measure.statistics.sample import sample_of
from kairos.engine.measure.statistics.split import srm_p

WORLDS = json.loads(Path(__file__).with_name("gbstats_vectors.json").read_text(encoding="utf-8"))
EARLY, LATE = 10**9, 1  # `decide_at` never reached, and reached at once


def close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("world", WORLDS)
def test_lift(world: dict[str, Any]) -> None:
    control, treated = (sample_of(world[arm], world["proportion"]) for arm in ("control", "treated"))
    fixed, told = lift(control, treated, LATE), world["plain"]
    assert fixed.difference == close(told["absolute"]["difference"])
    assert fixed.interval == close(tuple(told["absolute"]["fixed"]))
    assert fixed.p_fixed == close(told["absolute"]["p"])
    assert fixed.relative == close(told["relative"]["difference"])
    assert fixed.relative_interval == close(tuple(told["relative"]["fixed"]))
    se, n = (control.mean_variance + treated.mean_variance) ** 0.5, control.n + treated.n
    always = around(fixed.difference, always_valid_half_width(se, n, world["decide_at"]))
    assert always == close(tuple(told["absolute"]["always_valid"]))


@pytest.mark.parametrize("world", WORLDS)
def test_cuped(world: dict[str, Any]) -> None:
    arms = [sample_of(world[arm], world["proportion"]) for arm in ("control", "treated")]
    theta = theta_of(sample_of([*world["control"], *world["treated"]], world["proportion"]))
    told = world["cuped"]
    assert theta == close(told["theta"])
    assert lift(*(arm.adjusted(theta) for arm in arms), LATE).interval == close(tuple(told["absolute"]["fixed"]))


@pytest.mark.parametrize("world", WORLDS)
def test_split(world: dict[str, Any]) -> None:
    counts = {arm: sum(users for *_, users in world[arm]) for arm in ("control", "treated")}
    shares = {"control": world["share"], "treated": 1 - world["share"]}
    assert srm_p(counts, shares) == close(world["srm_p"])


def test_the_method_changes_at_decide_at() -> None:
    control, treated = sample_of([(0, 0, 50), (1, 0, 10)], True), sample_of([(0, 0, 40), (1, 0, 10)], True)
    se = 0.1
    assert half_width(se, control, treated, 111) == always_valid_half_width(se, 110, 111)
    assert half_width(se, control, treated, 110) == fixed_half_width(se, degrees_of_freedom(control, treated))
