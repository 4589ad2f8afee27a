"""Lift: what those who were treated did beyond those who were not, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

from kairos.engine.measure.outcome import CONTROL, TREATED, Trial
from kairos.engine.measure.statistics.holm import holm
from kairos.engine.measure.statistics.interval import (
    ALPHA,
    Interval,
    around,
    degrees_of_freedom,
    half_width,
    method_at,
    p_of,
)
from kairos.engine.measure.statistics.sample import Sample, sample_of
from kairos.engine.measure.statistics.split import is_unsound, srm_p

Status = Literal["unsound", "too_few", "open", "better", "worse"]

VISIBLE = 2.8
"""Standard errors of an effect that is found four times of five (power 80 %, two-sided 5 %)."""


class Lift(NamedTuple):
    """`difference` of the means, treated minus control; `relative` to the control's mean, None where that is 0.

    The intervals and `p_fixed` are None where they cannot be told: an arm of fewer than two users, or no spread at all.
    """

    difference: float
    interval: Interval | None
    relative: float | None
    relative_interval: Interval | None
    p_fixed: float | None


def lift(control: Sample, treated: Sample, decide_at: int, alpha: float = ALPHA) -> Lift:
    base = control.mean
    difference = treated.mean - base
    relative = difference / base if base else None
    if min(control.n, treated.n) < 2:
        return Lift(difference, None, relative, None, None)
    se = math.sqrt(control.mean_variance + treated.mean_variance)
    if se == 0:
        return Lift(difference, None, relative, None, None)
    half = half_width(se, control, treated, decide_at, alpha)
    p = p_of(difference, se, degrees_of_freedom(control, treated))
    if relative is None:
        return Lift(difference, around(difference, half), None, None, p)
    # The delta method: the variance of a ratio of two means.
    relative_variance = treated.mean_variance / base**2 + control.mean_variance * treated.mean**2 / base**4
    relative_half = half_width(math.sqrt(relative_variance), control, treated, decide_at, alpha)
    return Lift(difference, around(difference, half), relative, around(relative, relative_half), p)


def theta_of(pooled: Sample) -> float:
    """CUPED: what of the spread of y the same metric before explains, over all arms together; 0: nothing."""
    if pooled.variance <= 0 or pooled.variance_before <= 0:
        return 0.0
    return pooled.covariance / pooled.variance_before


def smallest_visible(control: Sample, n_treated: int) -> float | None:
    """The smallest difference that so many users would most likely show."""
    if not control.n or not n_treated:
        return None
    return VISIBLE * math.sqrt(control.variance * (1 / control.n + 1 / n_treated))


def _visible_between(one: Sample, other: Sample, alpha: float) -> float | None:
    """The same of two variants, of which neither is what happens anyway."""
    if not one.n or not other.n:
        return None
    stricter = NormalDist().inv_cdf(1 - alpha / 2) - NormalDist().inv_cdf(1 - ALPHA / 2)
    return (VISIBLE + stricter) * math.sqrt(one.mean_variance + other.mean_variance)


def status_of(effect: Lift) -> Status:
    if effect.interval is None:
        return "too_few"
    low, high = effect.interval
    return "better" if low > 0 else "worse" if high < 0 else "open"


def lift_rows(trial: Trial, by_variant: bool = False) -> list[dict[str, Any]]:
    """The rows of kind `lift`: one of all variants together, or one each, which then stands `beside` the others."""
    arms = {outcome.arm for outcome in trial.outcomes} | set(trial.shares or ())
    variants = sorted(arms - {CONTROL})
    families = {arm: [arm] for arm in variants} if by_variant else {TREATED: variants}
    control = _sample(trial, [CONTROL])
    theta = theta_of(_sample(trial, [CONTROL, *variants])) if trial.cuped else None
    counts = {arm: _sample(trial, [arm]).n for arm in (CONTROL, *variants)}
    p_split = srm_p(counts, trial.shares)
    treated = {name: _sample(trial, family) for name, family in families.items()}
    effects = {name: lift(control, sample, trial.decide_at) for name, sample in treated.items()}
    p_adjusted = holm({name: effect.p_fixed for name, effect in effects.items() if effect.p_fixed is not None})
    rows = []
    for name, sample in treated.items():
        row = _row(name, control, sample, effects[name], trial, p_split)
        if not is_unsound(p_split):
            row["adjusted"] = {"cuped": _cuped(control, sample, theta, trial), "holm_p": p_adjusted.get(name)}
        if by_variant:
            row["beside"] = [] if is_unsound(p_split) else beside(name, treated, trial.decide_at)
        rows.append(row)
    return rows


def beside(name: str, samples: Mapping[str, Sample], decide_at: int) -> list[dict[str, Any]]:
    """A variant less each of the others, whether there is a control group or not: with the same messages to choose
    from, nobody asks what would have happened anyway.

    All intervals of all pairs together are right 19 times of 20 (Bonferroni), so the best may be picked by looking.
    """
    alpha = ALPHA / math.comb(len(samples), 2) if len(samples) > 1 else ALPHA
    rows = []
    for other, sample in samples.items():
        if other != name:
            effect = lift(sample, samples[name], decide_at, alpha)
            told = {"difference": effect.difference, "interval": effect.interval, "p_fixed": effect.p_fixed}
            visible = _visible_between(samples[name], sample, alpha)
            rows.append({"variant": other, **told, "status": status_of(effect), "smallest_visible": visible})
    return rows


def _sample(trial: Trial, arms: Sequence[str]) -> Sample:
    return sample_of([(o.value, o.before, o.users) for o in trial.outcomes if o.arm in arms], trial.proportion)


def _row(
    name: str, control: Sample, treated: Sample, effect: Lift, trial: Trial, p_split: float | None
) -> dict[str, Any]:
    """Where the split is not the one that was drawn, no effect is shown."""
    unsound = is_unsound(p_split)
    shown = dict.fromkeys(Lift._fields) if unsound else effect._asdict()
    p_fixed = shown.pop("p_fixed")
    return {
        "arm": name,
        "n_control": control.n,
        "n_treated": treated.n,
        "mean_control": control.mean if control.n else None,
        "mean_treated": treated.mean if treated.n else None,
        **shown,
        "method": method_at(control.n + treated.n, trial.decide_at),
        "p_fixed": p_fixed,
        "srm_p": p_split,
        "status": "unsound" if unsound else status_of(effect),
        "immature": trial.immature,
        "matures_ms": trial.matures_ms,
        "smallest_visible": smallest_visible(control, treated.n),
        "adjusted": None,
    }


def _cuped(control: Sample, treated: Sample, theta: float | None, trial: Trial) -> dict[str, Any] | None:
    if theta is None:
        return None
    effect = lift(control.adjusted(theta), treated.adjusted(theta), trial.decide_at)
    return {"theta": theta, "difference": effect.difference, "interval": effect.interval}
