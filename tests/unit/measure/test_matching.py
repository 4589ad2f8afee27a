"""What another rule would have brought, by the choices that were made: against the truth of a world that is known."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from kairos.engine.decision import Rival
from kairos.engine.measure.matching import LEAST, Made, estimates
from kairos.engine.measure.spec import Happening, Matching
from tests.measure_world import Happened, World

DAY, HOUR = 86_400_000, 3_600_000
TRUE = {"a": 0.3, "b": 0.5, "c": 0.1}
"""How many users reach the goal after each."""


def made(number: int, explore: float, seed: int = 1) -> list[Made]:
    """Choices of a group whose scores stand in the wrong order: the best by score is `a`."""
    chance, found = random.Random(seed), []
    for _ in range(number):
        names = [name for name in "abc" if name == "a" or chance.random() < 0.8]
        even = explore / len(names)
        rivals = [Rival(name, 3.0 - n, 1 - explore + even if n == 0 else even) for n, name in enumerate(names)]
        winner = chance.choices(range(len(names)), [rival.p for rival in rivals])[0]
        found.append(Made(rivals, winner, float(chance.random() < TRUE[names[winner]])))
    return found


def truth(choices: list[Made], policy: str) -> float:
    """What it would have brought on average, by the world itself."""
    total = 0.0
    for choice in choices:
        names = [rival.activity for rival in choice.rivals]
        if policy == "even":
            total += sum(TRUE[name] for name in names) / len(names)
        else:
            total += TRUE[policy if policy in names else "a"]
    return total / len(choices)


@pytest.mark.parametrize("policy", ["best", "even", "b", "c"])
def test_all_three_find_the_truth_within_their_intervals(policy: str) -> None:
    choices = made(4_000, 0.3, seed=3)
    observed, *told = estimates(choices, policy)
    assert observed.method == "observed"
    assert observed.value == pytest.approx(sum(choice.reward for choice in choices) / 4_000)
    for estimate in told:
        assert estimate.interval is not None
        low, high = estimate.interval
        assert low < truth(choices, policy) < high, estimate
    widths = {e.method: e.interval[1] - e.interval[0] for e in told if e.interval}
    assert widths["dr"] <= widths["ips"]


def test_an_effective_sample_below_a_hundred_is_refused() -> None:
    few = made(400, 0.05)  # `c` won a handful of times
    told = {estimate.method: estimate for estimate in estimates(few, "c")}
    assert 0 < told["ips"].effective < LEAST
    assert [told[method].value for method in ("ips", "snips", "dr")] == [None, None, None]
    assert told["observed"].value is not None
    assert all(estimate.value is None for estimate in estimates(made(99, 0.5), "best"))
    assert [estimate.effective for estimate in estimates([], "best")] == [0.0] * 4


def test_without_exploration_the_rule_itself_is_what_was_seen() -> None:
    told = estimates(made(500, 0.0), "best")
    assert {estimate.value for estimate in told} == {told[0].value}
    assert {estimate.effective for estimate in told} == {500.0}


def decided(number: int, outcome: str = "send", group: str = "g") -> dict[str, Any]:
    choice = {"group": group, "score": 2.0, "p": 1.0, "won": True,
              "candidates": [{"activity": "a", "score": 2.0, "p": 1.0}]}  # fmt: skip
    return {"activity": "a", "user_id": f"u{number}", "occurrence": f"o{number}", "attempt": 1, "outcome": outcome,
            "at_ms": number * HOUR, "version": "v", "variant": None, "reason": None, "channel": "sms", "steps": "{}",
            "choice": json.dumps(choice)}  # fmt: skip


def test_the_warehouse_is_asked_for_sends_whose_time_is_over() -> None:
    rows = [decided(n) for n in range(150)] + [decided(150, "control"), decided(151, group="other")]
    bought = [Happened(f"u{n}", "buy", n * HOUR + (HOUR if n % 2 else 2 * DAY), {"n": 4}) for n in range(150)]
    bought += [Happened("u3", "buy", 3 * HOUR + 5, {"n": 6})]
    world = World().events(bought).decisions(rows)
    spec = Matching("g", "best", Happening(("buy",), value="n"), DAY)
    told = world.ask(spec, 150 * HOUR + DAY)
    assert [row["method"] for row in told] == ["observed", "ips", "snips", "dr"]
    assert {row["choices"] for row in told} == {150}
    assert {row["value"] for row in told} == {(75 * 4 + 6) / 150}
    sooner = world.ask(spec, 120 * HOUR + DAY + 2_000)
    assert {row["choices"] for row in sooner} == {121}
    whether = world.ask(Matching("g", "best", Happening(("buy",)), DAY), 150 * HOUR + DAY)
    assert {row["value"] for row in whether} == {0.5}
    assert {row["status"] for row in world.ask(spec, 50 * HOUR)} == {"too_few"}
