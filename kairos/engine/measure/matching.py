"""What another rule of a group would have brought: from the choices that were made, each with its propensity.

Inverse propensity scoring (IPS) weighs each choice by how likely the other rule makes it against how likely it was made
(Horvitz and Thompson 1952); SNIPS divides by the weights (Swaminathan and Joachims 2015); the doubly robust estimate
corrects what each activity brings on average by the weighted rest (Dudik, Langford, Li 2011). Where the weights are so
uneven that fewer than `LEAST` choices carry them, nothing is said. Intervals are normal, 95 %, and take choices for
independent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from kairos.engine.decision import Choice, Rival
from kairos.engine.measure.ask import Ask, Row
from kairos.engine.measure.spec import Matching
from kairos.engine.measure.statistics.share import Z

LEAST = 100
"""The effective sample, (sum w)^2 / sum w^2, that is needed."""
BILLION = 1_000_000_000


class Made(NamedTuple):
    """One choice: whom it was among, the place of the winner, and what the user did after it."""

    rivals: Sequence[Rival]
    winner: int
    reward: float

    @property
    def activity(self) -> str:
        return self.rivals[self.winner].activity


class Estimate(NamedTuple):
    method: str
    effective: float
    value: float | None
    interval: tuple[float, float] | None


def matching(ask: Ask, spec: Matching) -> list[Row]:
    """A row a method: what a choice has brought (`observed`), and would have brought under the other rule."""
    made = _made(ask, spec)
    head = {"group": spec.group, "policy": spec.policy, "choices": len(made)}
    return [
        {**head, **estimate._asdict(), "status": "too_few" if estimate.value is None else "told"}
        for estimate in estimates(made, spec.policy)
    ]


def _made(ask: Ask, spec: Matching) -> list[Made]:
    """Those whose time to see the outcome is over. The control group's wins have sent nothing, and are no choices."""
    reward = "sum(h.value)" if spec.event.value is not None else "min(1)"
    rows = ask.query(f"""
WITH happened AS ({ask.events(spec.event)}),
made AS (SELECT user_id, occurrence, at_ms, activity, choice FROM decisions
         WHERE outcome = 'send' AND attempt = 1 AND choice IS NOT NULL AND NOT coalesce(shadow, false)
         AND at_ms + {spec.within} <= {ask.limit} AND {ask.in_range("at_ms")})
SELECT m.activity, m.choice, coalesce((SELECT {reward} FROM happened h WHERE h.user_id = m.user_id
       AND h.time_ms > m.at_ms AND h.time_ms < m.at_ms + {spec.within}), 0)
FROM made m ORDER BY m.at_ms, m.user_id, m.activity, m.occurrence""")
    scale = BILLION if spec.event.value is not None else 1
    found = []
    for activity, text, value in rows:
        choice = msgspec.json.decode(text, type=Choice)
        if choice.group == spec.group:
            places = [n for n, r in enumerate(choice.candidates) if (r.activity, r.score) == (activity, choice.score)]
            found.append(Made(choice.candidates, places[0], float(value) / scale))
    return found


def estimates(made: Sequence[Made], policy: str) -> list[Estimate]:
    """`policy`: "best", "even", or an activity that is to win wherever it competes, and the best one elsewhere."""
    wanted = [_chances(choice, policy) for choice in made]
    weights = [
        chances[choice.winner] / choice.rivals[choice.winner].p for choice, chances in zip(made, wanted, strict=True)
    ]
    rewards = [choice.reward for choice in made]
    effective = sum(weights) ** 2 / sum(w * w for w in weights) if any(weights) else 0.0
    told = {"observed": rewards, "ips": [w * r for w, r in zip(weights, rewards, strict=True)]}
    told["dr"] = _doubly_robust(made, wanted, weights)
    found = [_mean("observed", float(len(made)), told["observed"])]
    if effective < LEAST:
        return found + [Estimate(method, effective, None, None) for method in ("ips", "snips", "dr")]
    whole = sum(weights)
    value = sum(told["ips"]) / whole
    spread = math.sqrt(sum((w * (r - value)) ** 2 for w, r in zip(weights, rewards, strict=True))) / whole
    snips = Estimate("snips", effective, value, (value - Z * spread, value + Z * spread))
    return [*found, _mean("ips", effective, told["ips"]), snips, _mean("dr", effective, told["dr"])]


def _chances(choice: Made, policy: str) -> list[float]:
    """How likely the rule makes each of the rivals win; they stand best first."""
    if policy == "even":
        return [1 / len(choice.rivals)] * len(choice.rivals)
    names = [rival.activity for rival in choice.rivals]
    place = names.index(policy) if policy in names else 0
    return [float(n == place) for n in range(len(names))]


def _doubly_robust(made: Sequence[Made], wanted: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    """What each activity brought on average, and the weighted rest; of one that never won the average of all."""
    of: defaultdict[str, list[float]] = defaultdict(list)
    for choice in made:
        of[choice.activity].append(choice.reward)
    average = {name: sum(rewards) / len(rewards) for name, rewards in of.items()}
    usual = sum(choice.reward for choice in made) / len(made) if made else 0.0
    return [
        sum(c * average.get(rival.activity, usual) for c, rival in zip(chances, choice.rivals, strict=True))
        + weight * (choice.reward - average[choice.activity])
        for choice, chances, weight in zip(made, wanted, weights, strict=True)
    ]


def _mean(method: str, effective: float, values: Sequence[float]) -> Estimate:
    n = len(values)
    if n < LEAST:
        return Estimate(method, effective, None, None)
    mean = sum(values) / n
    half = Z * math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n)
    return Estimate(method, effective, mean, (mean - half, mean + half))
