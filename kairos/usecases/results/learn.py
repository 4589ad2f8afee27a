"""`kairos learn`: weights of variants, and how much an activity brings, by the warehouse; as numbers.yaml has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.engine.measure.evidence import Evidence
from kairos.engine.measure.learn import NO_PRIOR, Prior, Seen, shrunk, weights
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.model import Best, RuleSet
from kairos.usecases.errors import InputError, reason_of
from kairos.usecases.results.measure import Wanted, answers, questions
from kairos.usecases.results.prices import prices

NUMBERS = "numbers.yaml"
NO_EVIDENCE: Mapping[str, Evidence] = {}
DIGITS = 4
"""Of an uplift."""
SURE = 200
"""The rate that a plan has shown counts as much as so many users of the variant itself, at most."""

_HEAD = "# Written by `kairos learn` from the warehouse; published like any other rule.\n"


@dataclass(frozen=True)
class Learned:
    """`seen`: activity -> variant -> what matured users did; the others are the tables of numbers.yaml."""

    seen: dict[str, dict[str, Seen]] = field(default_factory=dict)
    variants: dict[str, dict[str, float]] = field(default_factory=dict)
    uplift: dict[str, float] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)

    def yaml(self) -> str:
        lines = [_HEAD]
        if self.variants:
            lines.append("variants:\n")
            lines += [f"  {name}: {{{_listed(of)}}}\n" for name, of in sorted(self.variants.items())]
        if self.uplift:
            lines.append("uplift:\n")
            lines += [f"  {name}: {value:.{DIGITS}f}\n" for name, value in sorted(self.uplift.items())]
        if self.prices:
            lines.append("prices:\n")
            lines += [f"  {name}: {value:.6g}\n" for name, value in sorted(self.prices.items())]
        return "".join(lines)


def learn(
    warehouse: Path,
    rules: RuleSet,
    measures: Measures,
    as_of: int | None = None,
    engine: str = DUCKDB,
    evidence: Mapping[str, Evidence] = NO_EVIDENCE,
) -> Learned:
    """Over all epochs of the activities that have a goal. `evidence`: of plans, by name: what is believed of an
    activity that came from one. Raises AskError and WarehouseError.
    """
    with closing(open_engine(warehouse, engine)) as opened:
        return _learned(opened, rules, measures, as_of, evidence)


def keep(folder: Path, learned: Learned) -> bool:
    """Writes numbers.yaml into the rule folder. False: it said the same already. Raises InputError."""
    path, text = folder / NUMBERS, learned.yaml()
    try:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError("", str(path), reason_of(error)) from None
    return True


def _learned(
    engine: Engine, rules: RuleSet, measures: Measures, as_of: int | None, evidence: Mapping[str, Evidence]
) -> Learned:
    learned = Learned()
    goals = [name for name, activity in sorted(rules.activities.items()) if activity.goal is not None]
    for name in goals:
        came = rules.activities[name].plan
        shown = evidence.get(came.plan) if came is not None else None
        if (best := rules.best.get(name)) is not None:
            names = [variant.name for variant in rules.activities[name].variants]
            seen = _seen(_rows(engine, rules, measures, Wanted((f"lift/{name}",), as_of, by="variant")), names)
            learned.seen[name] = seen
            learned.variants[name] = weights(seen, _prior(best, shown))
        effect = _effect(_rows(engine, rules, measures, Wanted((f"lift/{name}",), as_of)))
        if effect is not None or shown is not None:
            believed = shown.believed(name).lift if shown is not None else 0.0
            learned.uplift[name] = round(shrunk(*(effect or (0.0, 0)), believed), DIGITS)
    learned.prices.update(prices(engine, rules, as_of))
    return learned


def _rows(engine: Engine, rules: RuleSet, measures: Measures, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    for answer in answers(engine, rules, measures, wanted, questions(engine, rules, measures, wanted)):
        yield from answer.rows


def _seen(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Seen]:
    """Users and those who reached the goal, by variant: the sums over all epochs."""
    seen = {name: Seen(0, 0) for name in names}
    for row in rows:
        if row["arm"] in seen and row["n_treated"]:
            before = seen[row["arm"]]
            reached = round(row["mean_treated"] * row["n_treated"])
            seen[row["arm"]] = Seen(before.users + row["n_treated"], before.reached + reached)
    return seen


def _effect(rows: Iterable[Mapping[str, Any]]) -> tuple[float, int] | None:
    """(difference, users): the mean over the epochs of which an effect can be told, weighted by their users."""
    told = [(row["difference"], row["n_control"] + row["n_treated"]) for row in rows if row["interval"] is not None]
    users = sum(n for _, n in told)
    return (sum(difference * n for difference, n in told) / users, users) if users else None


def _prior(best: Best, shown: Evidence | None) -> Prior:
    """What the activity says itself goes before what its plan has shown."""
    if best.prior_users:
        return Prior(best.prior_rate, best.prior_users)
    if shown is None or shown.rate is None:
        return NO_PRIOR
    return Prior(shown.rate, min(SURE, shown.n))


def _listed(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name}: {weight:g}" for name, weight in weights.items())
