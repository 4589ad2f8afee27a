"""Scores: what a model, or a table of one's own, says of every user; fitted, judged, and put where rules read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kairos.adapters.files.score_table import read_scores
from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.engine.crowd.spec import Crowd, Lookalike
from kairos.engine.measure.ask import Ask
from kairos.engine.measure.spec import Happening, Measures
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.report import listed, nearest
from kairos.engine.score.buying import Buying, CannotFitError, Histories, Numbers, fit
from kairos.engine.score.leakage import PURCHASES, barred_by
from kairos.engine.score.purchases import histories_sql, purchases_sql
from kairos.engine.score.rfm import rfm_sql
from kairos.engine.score.spec import BUILT_IN, DAY, BuyingScore, LikenessScore, Score, TableScore
from kairos.engine.score.spending import clv, fit_spending
from kairos.errors import KairosError
from kairos.usecases.people.lookalike import RefusedError, Wanted, everybody, fit_likeness
from kairos.usecases.results.measure import clock_of, newest_event

TESTED = 4
"""The last of so many equal parts of the time observed is foretold from the others, to see how well."""


class ScoreError(KairosError):
    """There is no such score, or the data do not tell it; the message says what to do."""


@dataclass(frozen=True)
class Fitted:
    """`n`: users with a value. `parameters`: of the model, by the names of its paper; `quality`: how well it does."""

    score: str
    model: str
    as_of: int
    values: dict[str, float]
    parameters: dict[str, float] = field(default_factory=dict)
    quality: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Sources:
    """Where scores come from. `folder`: the rule folder, to which the paths of tables are relative."""

    engine: Engine
    rules: RuleSet
    measures: Measures
    folder: Path

    def as_of(self, wanted: int | None) -> int:
        """Raises AskError where nothing says when."""
        return newest_event(self.engine) if wanted is None else wanted

    def ask(self, as_of: int) -> Ask:
        return Ask(lambda sql: self.engine.query(sql).rows, clock_of(self.engine, self.rules, as_of), as_of)

    def rfm_sql(self, as_of: int) -> str:
        return rfm_sql(purchases_sql(self.ask(as_of), self.purchase))

    def scored(self, score: str) -> list[str]:
        """Who has a value of this score in the warehouse."""
        sql = "SELECT user_id FROM scores WHERE score = $score ORDER BY user_id"
        return [user for (user,) in self.engine.query(sql, {"score": score}).rows]

    @property
    def purchase(self) -> Happening | None:
        return self.measures.purchase


@contextmanager
def open_sources(
    warehouse: Path, rules: RuleSet, loaded: Loaded, folder: Path, engine: str = DUCKDB
) -> Iterator[Sources]:
    """Raises WarehouseError."""
    opened = open_engine(warehouse, engine)
    try:
        yield Sources(opened, rules, loaded.measures, folder)
    finally:
        opened.close()


def named(name: str, scores: Mapping[str, Score], crowds: Mapping[str, Crowd]) -> Score:
    """Of scores.yaml, or one that needs none: a model of buying, or of a crowd that is a lookalike. Raises
    ScoreError."""
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    known = {"".join(letter for letter in key if letter.isalnum()): score for key, score in BUILT_IN.items()}
    found = scores.get(name) or known.get(plain)
    crowd = crowds.get(name)
    if found is None and isinstance(crowd, Lookalike):
        return LikenessScore(crowd.seed, crowd.size)
    if found is None:
        every = [*scores, *BUILT_IN]
        hint = nearest(name, every) or f"there are {listed(every, 'and')}"
        raise ScoreError(f"there is no score '{name}'; {hint}")
    return found


def fit_score(sources: Sources, name: str, score: Score, as_of: int) -> Fitted:
    """Raises ScoreError, RefusedError and WarehouseError."""
    try:
        if isinstance(score, BuyingScore):
            return _buying(sources, name, score, as_of)
        if isinstance(score, TableScore):
            values = read_scores(sources.folder / score.table, score.column)
            return Fitted(name, "table", as_of, values)
        return _likeness(sources, name, score, as_of)
    except CannotFitError as error:
        raise ScoreError(f"{name}: {error}") from None


def _likeness(sources: Sources, name: str, score: LikenessScore, as_of: int) -> Fitted:
    sql = "SELECT user_id FROM crowd_members WHERE crowd = $crowd AND to_n IS NULL"
    seeds = [user for (user,) in sources.engine.query(sql, {"crowd": score.seed}).rows]
    if not seeds:
        raise ScoreError(f"{name}: the crowd '{score.seed}' has no members yet: kairos crowds build {score.seed}")
    purchases = sources.purchase.types if sources.purchase is not None else PURCHASES
    barred = barred_by(score.seed, sources.rules.crowds, purchases)
    wanted = Wanted(score.seed, seeds, as_of, sources.rfm_sql(as_of), barred)
    model, quality = fit_likeness(sources.engine, wanted, score.size or len(seeds))
    if quality.problem:
        raise RefusedError(f"{name}: {quality.problem}", quality)
    values = {user: model.score(told) for user, told in everybody(sources.engine, wanted, model)}
    weights = {feature.said(more=True): weight for feature, weight in zip(model.features, model.weights, strict=True)}
    return Fitted(name, "lookalike", as_of, values, weights, quality.plain())


# ----------------------------------------------------------------------------------------------------------- buying
@dataclass(frozen=True)
class _Buyers:
    users: list[str]
    histories: Histories
    mean: Numbers


def _buying(sources: Sources, name: str, score: BuyingScore, as_of: int) -> Fitted:
    buyers = _buyers(sources, as_of)
    model = fit(score.model, buyers.histories)
    parameters, days = model.parameters, score.horizon / DAY
    if score.value == "p_alive":
        values = model.p_alive(buyers.histories)
    elif score.value == "expected_purchases":
        values = model.expected_purchases(buyers.histories, days)
    else:
        money = fit_spending(buyers.histories.x, buyers.mean)
        parameters = {**parameters, **money.parameters}
        worth = money.expected_value(buyers.histories.x, buyers.mean)
        values = clv(model, worth, buyers.histories, days, score.discount)
    by_user = {user: float(value) for user, value in zip(buyers.users, values, strict=True)}
    quality = {"log_likelihood": model.log_likelihood, "held_out": _foretold(sources, score, buyers, as_of)}
    return Fitted(name, score.model, as_of, by_user, parameters, quality)


def _buyers(sources: Sources, as_of: int) -> _Buyers:
    rows = sources.engine.query(histories_sql(sources.ask(as_of), sources.purchase)).rows
    users, x, t_x, t, mean = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return _Buyers(list(users), Histories.of(x, t_x, t), np.asarray(mean, float))


def _foretold(sources: Sources, score: BuyingScore, now: _Buyers, as_of: int) -> dict[str, float] | None:
    """The last quarter of the time observed, from what was known before it: days with purchases, and how far a buyer's
    number is off on average, beside the guess that everybody goes on as before. None: too little was known then."""
    observed = float(now.histories.t.max()) * 7
    days = max(1.0, observed // TESTED)
    before = _buyers(sources, as_of - round(days * DAY))
    try:
        model: Buying = fit(score.model, before.histories)
    except CannotFitError:
        return None
    later = dict(zip(now.users, now.histories.x, strict=True))
    happened = np.array([later[user] for user in before.users]) - before.histories.x
    expected = model.expected_purchases(before.histories, days)
    before_t = np.maximum(before.histories.t * 7, days)
    as_before = before.histories.x / before_t * days
    return {
        "days": days,
        "buyers": len(before.users),
        "happened": float(happened.sum()),
        "expected": float(expected.sum()),
        "error": float(np.abs(expected - happened).mean()),
        "error_as_before": float(np.abs(as_before - happened).mean()),
    }
