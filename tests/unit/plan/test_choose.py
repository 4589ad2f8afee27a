"""A parameter chosen for each user: an activity for each value, and matching between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from tests.measured import START
from tests.unit.cli.cli_kit import Result, run
from tests.unit.plan.library import SHIPPED

WORTH = "{value: order.amount * 0.3, uplift: measured, cost: {$: coupon}}"

SOURCES = """shop:
  events:
    order_created: {order_id: string!, amount: number!}
    order_paid: {order_id: string!}
"""


def use(folder: Path, *more: object) -> Result:
    (folder / "policy.yaml").write_text("matching: {offers: {per: 1d}}\n")
    (folder / "sources.yaml").write_text(SOURCES)
    return run("plans", "use", "unpaid", "--rules", folder, "--plans", SHIPPED, "--set", "control=0%", *more)


def test_each_user_gets_the_value_that_is_worth_most_for_her(tmp_path: Path) -> None:
    made = use(tmp_path, "--choose", "coupon=0,5,10", "--matching", "offers", "--worth", WORTH)
    assert (made.exit_code, made.stderr) == (0, "")
    uplift = "uplift: {unpaid_coupon_0: 0.02, unpaid_coupon_5: 0.06, unpaid_coupon_10: 0.09}\n"
    (tmp_path / "numbers.yaml").write_text(uplift)
    loaded = load(read_folder(tmp_path))
    assert loaded.findings == []
    assert loaded.rules is not None
    assert {activity.plan.parameters["coupon"] for activity in loaded.rules.activities.values() if activity.plan} == {
        0, 5, 10,
    }  # fmt: skip
    orders = {"anna": 100, "ben": 500, "cleo": 900}
    events = [
        Event(user, "order_created", START, "shop", {"order_id": user, "amount": amount}, user)
        for user, amount in orders.items()
    ]
    records = list(Simulation(loaded.rules).run(events))
    assert {r.user_id: r.data["coupon"] for r in records if r.outcome == "send"} == {"anna": 0, "ben": 5, "cleo": 10}
    assert {r.reason for r in records if r.outcome == "suppress"} == {"outranked:offers"}
    assert run("plans", "diff", "--rules", tmp_path, "--plans", SHIPPED).exit_code == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--choose", "coupon=0,5"], "competes in a group of policy.yaml"),
        (["--choose", "coupon=0,500", "--matching", "offers"], "coupon: expected 0 to 100, found 500"),
        (["--choose", "cupon=0,5", "--matching", "offers"], "did you mean 'coupon'?"),
        (["--choose", "wait=1m,2m,3m,4m,5m", "--choose", "coupon=1,2,3,4,5", "--matching", "offers"], "too many"),
        (["--choose", "coupon=0,5", "--matching", "offers", "--worth", "{value: {$: x}}"], "no parameter 'x'"),
    ],
)
def test_what_cannot_be_chosen(tmp_path: Path, more: list[str], said: str) -> None:
    refused = use(tmp_path, *more)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["policy.yaml", "sources.yaml"]


def test_a_journey_competes_by_its_messages(tmp_path: Path) -> None:
    refused = run("plans", "use", "welcome", "--rules", tmp_path, "--plans", SHIPPED, "--choose", "coupon=A,B")
    assert "a journey competes step by step" in refused.stderr
