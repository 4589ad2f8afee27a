"""Who is like the members of a crowd: a regularised logistic regression of its members against a sample of the rest.

The rest are not known to be unlike: among them are those who are looked for. Elkan and Noto ("Learning classifiers from
only positive and unlabeled data", 2008): the regression's chance divided by its mean over held-out members is the
chance to be like them, and the order of users is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kairos.engine.decision import share_of
from kairos.engine.score.features import Feature, features_sql

HELD_OUT = 0.2
"""The share of the seeds that a first model does not see, by which it is judged."""
PER_SEED = 10
"""Others in the sample, for each seed."""
MOST_SEEDS = 10_000
REASONS = 3
STRENGTH = 0.1
"""Inverse of the regularisation (sklearn's C), on standardised features."""


@dataclass(frozen=True)
class Likeness:
    """Weights of the features as they are. `usual`: their means among the rest. `scale`: Elkan and Noto's c."""

    features: Sequence[Feature]
    weights: Sequence[float]
    intercept: float
    usual: Sequence[float]
    scale: float = 1.0

    def ranking_sql(self, as_of: int, most: int) -> str:
        """A SELECT of user_id and likeness, the `most` likely first; equal ones by user id."""
        terms = [f"{weight!r} * f{n}" for n, weight in enumerate(self.weights) if weight]
        told = " + ".join([repr(self.intercept), *terms])
        return (
            f"SELECT user_id, {told} AS likeness FROM ({features_sql(list(self.features), as_of)}) f "
            f"ORDER BY likeness DESC, user_id LIMIT {most}"
        )

    def score(self, likeness: float) -> float:
        """0..1, of what `ranking_sql` gives."""
        return min(1.0, float(1 / (1 + np.exp(-likeness))) / self.scale)

    def reasons(self, values: Sequence[float]) -> list[str]:
        """What of a user's features speaks most for her, in words."""
        away = np.asarray(values) - np.asarray(self.usual)
        parts = np.asarray(self.weights) * away
        best = sorted(range(len(parts)), key=lambda n: (-parts[n], n))[:REASONS]
        return [self.features[n].said(more=bool(away[n] > 0)) for n in best if parts[n] > 0]


def train(features: Sequence[Feature], of_seeds: Any, of_others: Any) -> Likeness:
    """`of_seeds`, `of_others`: rows of users, columns of features. The same rows give the same model."""
    from sklearn.linear_model import LogisticRegression  # a second to import, and only this needs it

    rows = np.vstack([np.asarray(of_seeds, float), np.asarray(of_others, float)])
    labels = np.repeat([1, 0], [len(of_seeds), len(of_others)])
    middle, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread == 0] = 1.0
    model = LogisticRegression(C=STRENGTH, max_iter=1_000).fit((rows - middle) / spread, labels)
    weights = model.coef_[0] / spread
    intercept = float(model.intercept_[0] - (weights * middle).sum())
    usual = np.asarray(of_others, float).mean(axis=0)
    return Likeness(features, [float(w) for w in weights], intercept, [float(u) for u in usual])


def scaled(model: Likeness, judged_by: Likeness, of_held_out: Any) -> Likeness:
    """With Elkan and Noto's c of another model of the same kind, and of seeds that it did not see."""
    told = np.asarray(of_held_out, float) @ np.asarray(judged_by.weights) + judged_by.intercept
    scale = float(np.mean(1 / (1 + np.exp(-told))))
    return Likeness(model.features, model.weights, model.intercept, model.usual, scale or 1.0)


def by_hash(users: Iterable[str], salt: str) -> list[str]:
    """In an order that is the same in every run, and tells nothing of the users."""
    return sorted(users, key=lambda user: (share_of(user, f"lookalike/{salt}"), user))


@dataclass(frozen=True)
class Quality:
    """Of held-out seeds among `size` users: the share that was found by the model, by chance, and by nearness to the
    seeds in recency, frequency and money."""

    seeds: int
    held_out: int
    candidates: int
    recall: float
    random: float
    nearest_by_rfm: float

    @property
    def problem(self) -> str:
        """Why such a model helps nobody; "": it does."""
        said = f"of held-out seeds it finds {self.recall:.1%}"
        if self.recall < 2 * self.random:
            return f"{said}, less than twice what chance finds ({self.random:.1%})"
        if self.recall < self.nearest_by_rfm:
            return f"{said}, less than nearness in recency, frequency and money does ({self.nearest_by_rfm:.1%})"
        return ""

    def plain(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def nearest_recall(
    rfm: Mapping[str, tuple[int, int, int]],
    seeds: Iterable[str],
    held_out: Iterable[str],
    others: Iterable[str],
    size: int,
) -> float:
    """The recall of the `size` candidates (the held-out seeds and the others) nearest to the mean of the seeds; who
    bought nothing is at (0, 0, 0). Of those equally near at the border the share that still fits in counts."""
    at = [Counter(rfm.get(user, (0, 0, 0)) for user in users) for users in (seeds, held_out, others)]
    centre = np.average(list(at[0]), axis=0, weights=list(at[0].values()))
    places = at[1].keys() | at[2].keys()
    distances = {place: float(((np.asarray(place) - centre) ** 2).sum()) for place in places}
    hits, room = 0.0, float(size)
    for distance in sorted(set(distances.values())):
        here = [place for place in places if distances[place] == distance]
        found, all_here = sum(at[1][p] for p in here), sum(at[1][p] + at[2][p] for p in here)
        hits += found * min(1.0, room / all_here)
        room = max(0.0, room - all_here)
    return hits / at[1].total()
