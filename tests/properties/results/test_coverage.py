"""What "95 %" promises, over random worlds whose truth is known: one look at the end, or forty on the way."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import combinations

from kairos.engine.measure.lift import Lift, beside, lift
from kairos.engine.measure.statistics.sample import Sample, sample_of

WORLDS = 2_000
LOOKS, USERS_A_LOOK = 40, 100


def rate(users: int, reached: int) -> Sample:
    return sample_of([(1, 0, reached), (0, 0, users - reached)], proportion=True)


def holds(effect: Lift, truth: float) -> bool:
    assert effect.interval is not None
    return effect.interval[0] <= truth <= effect.interval[1]


def drawn(chance: random.Random, users: int, p: float) -> int:
    return sum(chance.random() < p for _ in range(users))


def test_one_look_at_a_rate() -> None:
    chance, right = random.Random(1), 0
    for _ in range(WORLDS):
        base, effect = chance.uniform(0.1, 0.5), chance.choice([0.0, 0.02, -0.05, 0.1])
        n_control, n_treated = chance.randint(150, 400), chance.randint(150, 600)
        control = rate(n_control, drawn(chance, n_control, base))
        treated = rate(n_treated, drawn(chance, n_treated, base + effect))
        right += holds(lift(control, treated, decide_at=1), effect)
    assert 0.93 <= right / WORLDS <= 0.97


def test_one_look_at_a_value_and_at_its_relation() -> None:
    """What users spend: most nothing, some much. The relative effect, too, where its base is known well enough."""
    chance, right, right_relative = random.Random(2), 0, 0
    for _ in range(WORLDS):
        factor = chance.choice([1.0, 1.1, 0.8])
        arms = []
        for n, times in ((chance.randint(150, 300), 1.0), (chance.randint(150, 300), factor)):
            spent = (chance.expovariate(1) * times * (chance.random() < 0.6) for _ in range(n))
            arms.append(sample_of([(value, 0, 1) for value in spent], proportion=False))
        effect = lift(*arms, decide_at=1)
        right += holds(effect, 0.6 * (factor - 1))
        low, high = effect.relative_interval or (0, 0)
        right_relative += low <= factor - 1 <= high
    assert 0.93 <= right / WORLDS <= 0.97
    assert 0.93 <= right_relative / WORLDS <= 0.97


def test_forty_looks() -> None:
    """Whoever looks forty times at an interval made for one look sees an effect that is not there in a fourth of all
    worlds; the interval that is always valid misses the truth in fewer than a twentieth."""
    chance = random.Random(3)
    worlds, naive, valid = 500, 0, 0
    for _ in range(worlds):
        base, effect, counts = chance.uniform(0.1, 0.5), chance.choice([0.0, 0.05]), [0, 0]
        always_right = fixed_right = True
        for look in range(1, LOOKS + 1):
            counts = [
                counts[0] + drawn(chance, USERS_A_LOOK, base),
                counts[1] + drawn(chance, USERS_A_LOOK, base + effect),
            ]
            arms = [rate(look * USERS_A_LOOK, count) for count in counts]
            always_right = always_right and holds(lift(*arms, decide_at=2 * LOOKS * USERS_A_LOOK + 1), effect)
            fixed_right = fixed_right and holds(lift(*arms, decide_at=1), effect)
        naive, valid = naive + (not fixed_right), valid + (not always_right)
    assert valid / worlds <= 0.05
    assert 0.15 <= naive / worlds <= 0.35


def test_the_best_of_four_variants_may_be_picked_by_looking() -> None:
    """Four texts that do the same: all six pairs together are told better or worse in at most a twentieth of the
    worlds, at one look as well as at forty; without the correction in three times as many at one."""
    chance = random.Random(4)
    worlds, once, looked, naive = 300, 0, 0, 0
    for _ in range(worlds):
        base, counts, found = chance.uniform(0.1, 0.5), [0] * 4, False
        for look in range(1, LOOKS + 1):
            counts = [count + drawn(chance, USERS_A_LOOK, base) for count in counts]
            arms = {name: rate(look * USERS_A_LOOK, count) for name, count in zip("abcd", counts, strict=True)}
            found = found or wins(arms, 2 * LOOKS * USERS_A_LOOK + 1)
        once, looked = once + wins(arms, 1), looked + found
        naive += any(not holds(lift(arms[a], arms[b], 1), 0) for a, b in combinations("abcd", 2))
    assert once / worlds <= 0.07
    assert looked / worlds <= 0.05
    assert naive / worlds >= 0.12


def wins(arms: Mapping[str, Sample], decide_at: int) -> bool:
    return any(told["status"] != "open" for name in arms for told in beside(name, arms, decide_at))
