"""Writes gbstats_vectors.json: what GrowthBook's gbstats says of random trials, for test_gbstats.py.

gbstats pins numpy below 2, which clashes with Flink's pins, so it has an environment of its own:

    python3.11 -m venv gbstats && gbstats/bin/pip install gbstats==0.8.0
    gbstats/bin/python tests/unit/measure/gbstats_vectors.py
"""

import json
import pathlib
import random
from collections import Counter

from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
from gbstats.models.statistics import ProportionStatistic, RegressionAdjustedStatistic, SampleMeanStatistic
from gbstats.utils import check_srm

WORLDS = 24


def users_of(rng, proportion, n, effect):
    """(y, x) of n users: the metric, and the same metric before."""
    for _ in range(n):
        habit = rng.random()
        if proportion:
            yield int(rng.random() < 0.4 * habit + effect), int(rng.random() < 0.4 * habit)
        else:
            yield round(rng.expovariate(1) * habit * 50 + effect * 20, 2), round(rng.expovariate(1) * habit * 50, 2)


def plain(proportion, users):
    return statistic(proportion, [y for y, _ in users])


def statistic(proportion, values):
    if proportion:
        return ProportionStatistic(n=len(values), sum=sum(values))
    return SampleMeanStatistic(n=len(values), sum=sum(values), sum_squares=sum(v * v for v in values))


def adjusted(proportion, users):
    return RegressionAdjustedStatistic(
        n=len(users),
        post_statistic=statistic(proportion, [y for y, _ in users]),
        pre_statistic=statistic(proportion, [x for _, x in users]),
        post_pre_sum_of_products=sum(y * x for y, x in users),
        theta=0,
    )


def told(make, decide_at):
    """What both tests say of the two statistics, which `make` builds anew: they are changed by being asked."""
    found = {}
    for kind in ("absolute", "relative"):
        fixed = TwoSidedTTest(*make(), FrequentistConfig(difference_type=kind)).compute_result()
        valid = SequentialTwoSidedTTest(
            *make(), SequentialConfig(difference_type=kind, sequential_tuning_parameter=decide_at)
        ).compute_result()
        found[kind] = {"difference": fixed.expected, "fixed": fixed.ci, "always_valid": valid.ci, "p": fixed.p_value}
    return found


def world(number):
    rng = random.Random(number)
    proportion = number % 2 == 0
    control = list(users_of(rng, proportion, rng.randint(20, 400), 0))
    treated = list(users_of(rng, proportion, rng.randint(20, 900), rng.choice([0, 0.1])))
    decide_at, share = rng.choice([500, 5_000, 40_000]), rng.choice([0.05, 0.1, 0.3, 0.5])
    with_before = adjusted(proportion, control), adjusted(proportion, treated)
    test = TwoSidedTTest(*with_before)
    return {
        "proportion": proportion,
        "decide_at": decide_at,
        "share": share,
        "control": sorted([*pair, users] for pair, users in Counter(control).items()),
        "treated": sorted([*pair, users] for pair, users in Counter(treated).items()),
        "plain": told(lambda: (plain(proportion, control), plain(proportion, treated)), decide_at),
        "cuped": {
            "theta": test.stat_a.theta,
            **told(lambda: (adjusted(proportion, control), adjusted(proportion, treated)), decide_at),
        },
        "srm_p": check_srm([len(control), len(treated)], [share, 1 - share]),
    }


if __name__ == "__main__":
    out = pathlib.Path(__file__).with_suffix(".json")
    out.write_text("[\n" + ",\n".join(json.dumps(world(n), default=float) for n in range(WORLDS)) + "\n]\n")
