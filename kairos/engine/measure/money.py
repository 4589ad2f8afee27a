"""Money: what is booked for an activity, and what it really brought, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kairos.engine.measure.outcome import CONTROL, MoneyOutcome, MoneyTrial
from kairos.engine.measure.statistics.interval import (
    Interval,
    always_valid_half_width,
    around,
    fixed_half_width,
    method_at,
)
from kairos.engine.measure.statistics.sample import Sample, sample_of
from kairos.engine.measure.statistics.split import is_unsound, srm_p

Number = Callable[[MoneyOutcome], float]


def money_row(activity: str, trials: Sequence[MoneyTrial]) -> dict[str, Any]:
    """The row of kind `money`, over all epochs together.

    `value`, `margin` and `cost` are sums over treated users. `incremental_value` is the profit (margin - cost) that
    the treated made beyond what the control group says they would have made anyway; an epoch without users in both
    arms, or with an unsound split, says nothing of it, and adds to none of the incremental numbers.
    """
    treated = [o for trial in trials for o in trial.outcomes if o.arm != CONTROL]
    value, margin, cost = (_total(treated, of) for of in (lambda o: o.value, lambda o: o.margin, lambda o: o.cost))
    sound = [trial for trial in trials if _is_sound(trial)]
    gained = _gained(sound, lambda o: o.margin)
    spent = math.fsum(_total(_of(trial, treated=True), lambda o: o.cost) for trial in sound)
    buyers = _gained(sound, lambda o: o.bought)
    return {
        "activity": activity,
        "value": value,
        "margin": margin,
        "cost": cost,
        "attributed_roi": (margin - cost) / cost if cost else None,
        "incremental_value": _gained(sound, _profit) if sound else None,
        "interval": _interval(sound),
        "iroi": (gained - spent) / spent if sound and spent else None,
        "cost_per_incremental": spent / buyers if sound and buyers > 0 else None,
    }


def arms_of(trial: MoneyTrial) -> dict[str, MoneyTrial]:
    """Each variant against the same control group: variant -> a trial of these two arms."""
    found = {}
    for arm in sorted({outcome.arm for outcome in trial.outcomes} - {CONTROL}):
        outcomes = [outcome for outcome in trial.outcomes if outcome.arm in (CONTROL, arm)]
        both = {name: share for name, share in (trial.shares or {}).items() if name in (CONTROL, arm)}
        whole = math.fsum(both.values())
        shares = {name: share / whole for name, share in both.items()} if trial.shares is not None and whole else None
        found[arm] = trial._replace(outcomes=outcomes, shares=shares)
    return found


def _profit(outcome: MoneyOutcome) -> float:
    """A coupon costs on redemption, also where she would have bought anyway; the control group costs nothing."""
    return outcome.margin - (outcome.cost if outcome.arm != CONTROL else 0)


def _of(trial: MoneyTrial, treated: bool) -> list[MoneyOutcome]:
    return [outcome for outcome in trial.outcomes if (outcome.arm != CONTROL) is treated]


def _total(outcomes: Sequence[MoneyOutcome], of: Number) -> float:
    return math.fsum(of(outcome) * outcome.users for outcome in outcomes)


def _sample(outcomes: Sequence[MoneyOutcome], of: Number) -> Sample:
    return sample_of([(of(outcome), 0.0, outcome.users) for outcome in outcomes], proportion=False)


def _is_sound(trial: MoneyTrial) -> bool:
    counts: dict[str, int] = {}
    for outcome in trial.outcomes:
        counts[outcome.arm] = counts.get(outcome.arm, 0) + outcome.users
    control = counts.get(CONTROL, 0)
    both = control >= 2 and sum(counts.values()) - control >= 2
    return both and not is_unsound(srm_p(counts, trial.shares))


def _gained(trials: Sequence[MoneyTrial], of: Number) -> float:
    """The lift of `of` times the treated users, over the epochs."""
    gains = []
    for trial in trials:
        control, treated = (_sample(_of(trial, side), of) for side in (False, True))
        gains.append((treated.mean - control.mean) * treated.n)
    return math.fsum(gains)


def _interval(trials: Sequence[MoneyTrial]) -> Interval | None:
    """Of the sum over the epochs: their variances add up, and so do Welch's degrees of freedom."""
    variances, thinned, n = [], [], 0
    for trial in trials:
        treated_n = _sample(_of(trial, True), _profit).n
        for side in (False, True):
            sample = _sample(_of(trial, side), _profit)
            variances.append(sample.mean_variance * treated_n**2)
            thinned.append(variances[-1] ** 2 / (sample.n - 1))
            n += sample.n
    variance = math.fsum(variances)
    if not variance:
        return None
    decide_at = max(trial.decide_at for trial in trials)
    if method_at(n, decide_at) == "fixed":
        half = fixed_half_width(math.sqrt(variance), variance**2 / math.fsum(thinned))
    else:
        half = always_valid_half_width(math.sqrt(variance), n, decide_at)
    return around(_gained(trials, _profit), half)
