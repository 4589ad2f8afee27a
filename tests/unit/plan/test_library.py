"""The plans that ship: each, in an empty rule folder, becomes a linted, tested activity, whatever is put in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.usecases.rules.plan_upgrades import upgrades
from kairos.usecases.rules.plans import Use, lacking, made_by_default, put, use
from kairos.usecases.rules.rehearse import rehearse_all
from tests.unit.plan.library import LIBRARY
from tests.unit.project.snippets import ROOT

PLANS = LIBRARY.plans
SHIPPED = {
    "welcome", "first_purchase", "unpaid", "cart_series", "browse", "price_drop", "back_in_stock", "replenishment",
    "review", "referral", "third_purchase", "tier_reached", "birthday", "trial_ends", "payment_failed", "win_back",
    "sunset", "nps", "digest", "store_visit",
}  # fmt: skip


def ends() -> Iterator[tuple[str, str, str]]:
    """(plan, parameter, value): each parameter at both ends of its range."""
    for name, plan in PLANS.items():
        for parameter in plan.parameters.values():
            for end in parameter.bounds or ():
                yield name, parameter.name, str(end.text)


def test_all_of_them_are_there_and_without_findings() -> None:
    assert LIBRARY.findings == []
    assert set(PLANS) == SHIPPED


@pytest.mark.parametrize("name", PLANS)
def test_what_it_becomes_is_valid_and_does_what_its_examples_say(name: str, tmp_path: Path) -> None:
    put(tmp_path, use(tmp_path, PLANS[name], Use({}, f"my_{name}", "mine")))
    loaded = load(read_folder(tmp_path))
    assert loaded.rules is not None
    assert {finding.code for finding in loaded.findings} <= {"no-policy", "service-class"}
    activity = loaded.rules.activities[f"my_{name}"]
    assert activity.plan is not None
    assert (activity.plan.plan, activity.plan.version, activity.theme) == (name, PLANS[name].version, "mine")
    done = rehearse_all(loaded.rules, loaded.tests)
    assert (done.failed, done.without) == ([], [])
    assert done.examples > 0
    assert lacking(made_by_default(PLANS[name]), loaded.rules) == []


@pytest.mark.parametrize(("name", "parameter", "value"), [*ends()], ids="-".join)
def test_at_the_ends_of_each_range_too(name: str, parameter: str, value: str, tmp_path: Path) -> None:
    use(tmp_path, PLANS[name], Use({parameter: value}))


@pytest.mark.parametrize("name", [name for name, plan in PLANS.items() if "control" in plan.parameters])
def test_its_examples_hold_whoever_is_in_the_control_group(name: str, tmp_path: Path) -> None:
    for number in range(4):
        use(tmp_path, PLANS[name], Use({"control": "50%"}, f"other_{number}"))


def test_a_folder_that_does_not_know_what_a_plan_asks_for_is_told_so() -> None:
    rules = load(read_folder(ROOT / "rules")).rules
    assert rules is not None
    lacks = {name: lacking(made_by_default(plan), rules) for name, plan in PLANS.items()}
    assert lacks["first_purchase"] == []
    assert lacks["unpaid"] == ["event order_created", "event order_paid"]
    assert "prop product_view.product_id" in lacks["browse"]
    assert "profile.birthday" in lacks["birthday"]
    assert all(lacking(made_by_default(plan), RuleSet()) == [] for plan in PLANS.values())


EDITED = {"activities/browse/browse_abandonment.test.yaml", "activities/service/weekly_digest.test.yaml"}
"""Examples of topics, added by hand."""


def test_the_playbooks_are_what_the_plans_say() -> None:
    found = upgrades(ROOT / "examples" / "playbooks", LIBRARY)
    assert [one.name for one in found if one.offered or one.problem] == []
    assert {path for one in found if one.change for path in one.change.files} == EDITED
