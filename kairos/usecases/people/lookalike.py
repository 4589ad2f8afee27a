"""The users who are most like the members of a crowd, found in the warehouse: for a crowd of them, or a score."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from kairos.adapters.warehouse.port import Engine
from kairos.engine.crowd.past import Past
from kairos.engine.crowd.spec import Crowd, Lookalike
from kairos.engine.measure.spec import Happening
from kairos.engine.score.features import NOTHING_BARRED, Barred, Feature, features_of, features_sql
from kairos.engine.score.leakage import PURCHASES, barred_by
from kairos.engine.score.likeness import (
    HELD_OUT,
    MOST_SEEDS,
    PER_SEED,
    Likeness,
    Quality,
    by_hash,
    nearest_recall,
    scaled,
    train,
)
from kairos.errors import KairosError

FEWEST = 10
"""Seeds that a model takes."""
_LOOKED_AT = 1_000
"""Seeds, and others, in whose events features are looked for."""
_ALL = 2**31
_AT_ONCE = 10_000
"""Users named in one query."""


class RefusedError(KairosError):
    """No such model helps; the message says why. `quality`: None where none could be made."""

    def __init__(self, message: str, quality: Quality | None = None) -> None:
        super().__init__(message)
        self.quality = quality


class Alike(NamedTuple):
    """`score` 0..1, `rank` from 1, and at most three reasons, the largest first."""

    user_id: str
    score: float
    rank: int
    reasons: list[str]


@dataclass(frozen=True)
class Wanted:
    """`seeds`: the members of the crowd `seed`. `rfm`: the SELECT of the table rfm. Features are of what was strictly
    before `as_of`, epoch ms. The same wishes on the same warehouse find the same users; a smaller size finds some of
    those of a larger."""

    seed: str
    seeds: Collection[str]
    as_of: int
    rfm: str
    barred: Barred = NOTHING_BARRED
    excluded: Collection[str] = ()


def wanted_of(
    crowd: Lookalike,
    crowds: Mapping[str, Crowd],
    past: Past,
    members: Callable[[str], Collection[str]],
    purchase: Happening | None = None,
) -> Wanted:
    """What a crowd of crowds.yaml wants. `members`: of a kept crowd, by name; `purchase`: of measures.yaml."""
    barred = barred_by(crowd.seed, crowds, purchase.types if purchase is not None else PURCHASES)
    excluded = {user for name in crowd.exclude for user in members(name)}
    return Wanted(crowd.seed, members(crowd.seed), past.as_of, past.rfm, barred, excluded)


def find_alike(engine: Engine, wanted: Wanted, size: int) -> tuple[list[Alike], Quality]:
    """At most `size` users, none of them a seed. Raises RefusedError and QueryError."""
    model, quality = fit_likeness(engine, wanted, size)
    if quality.problem:
        raise RefusedError(f"a lookalike of {wanted.seed} is refused: {quality.problem}", quality)
    return ranked(engine, wanted, model, size), quality


def ranked(engine: Engine, wanted: Wanted, model: Likeness, size: int) -> list[Alike]:
    """By the model, the likeliest first, with reasons."""
    chosen = _best(engine, wanted, model, size, {*wanted.seeds, *wanted.excluded})
    reasons = {
        user: model.reasons(values)
        for user, values in _rows(engine, list(model.features), wanted.as_of, [user for user, _ in chosen])
    }
    return [Alike(user, model.score(told), n, reasons[user]) for n, (user, told) in enumerate(chosen, start=1)]


def everybody(engine: Engine, wanted: Wanted, model: Likeness) -> list[tuple[str, float]]:
    """(user, likeness) of all who are no seeds, the likeliest first."""
    return _best(engine, wanted, model, _ALL - len(wanted.seeds), set(wanted.seeds))


def fit_likeness(engine: Engine, wanted: Wanted, size: int) -> tuple[Likeness, Quality]:
    """Judged by a model that has not seen a fifth of the seeds. Raises RefusedError and QueryError."""
    everybody = [user for (user,) in engine.query(_EVERYBODY, {"as_of": wanted.as_of}).rows]
    known = frozenset(everybody)
    seeds = by_hash(known & frozenset(wanted.seeds), wanted.seed)
    if len(seeds) < FEWEST:
        raise RefusedError(f"the crowd {wanted.seed} has {len(seeds)} members with a past; a model takes {FEWEST}")
    others = by_hash(known.difference(seeds), wanted.seed)
    features = _features(engine, wanted, seeds, others)
    if not features or not others:
        raise RefusedError(f"nothing is known of users beside what says who is in {wanted.seed}")
    cut = max(1, round(len(seeds) * HELD_OUT))
    held_out, rest = seeds[:cut], seeds[cut:][:MOST_SEEDS]
    sample = others[: PER_SEED * (len(rest) + cut)]
    values = dict(_rows(engine, features, wanted.as_of, [*held_out[:MOST_SEEDS], *rest, *sample]))

    def of(users: Iterable[str]) -> list[Sequence[float]]:
        return [values[user] for user in users if user in values]

    first = train(features, of(rest), of([*sample, *held_out]))
    quality = _judged(engine, wanted, first, size, held_out, rest, others)
    whole = train(features, of([*held_out, *rest]), of(sample))
    return scaled(whole, first, of(held_out)), quality


_EVERYBODY = "SELECT user_id FROM events WHERE time_ms < $as_of UNION SELECT user_id FROM profiles"


def _features(engine: Engine, wanted: Wanted, seeds: Sequence[str], others: Sequence[str]) -> list[Feature]:
    users = [*seeds[:_LOOKED_AT], *others[:_LOOKED_AT]]
    sql = "SELECT user_id, type, props FROM events WHERE time_ms < $as_of AND user_id IN $users"
    events = ((user, type_, msgspec.json.decode(props or "{}"))
              for user, type_, props in engine.query(sql, {"as_of": wanted.as_of, "users": users}).rows)  # fmt: skip
    profiles = engine.query("SELECT * FROM profiles WHERE user_id IN $users", {"users": users})
    people = (dict(zip(profiles.columns, row, strict=True)) for row in profiles.rows)
    return features_of(events, people, engine.columns("profiles"), wanted.barred)


def _judged(
    engine: Engine,
    wanted: Wanted,
    model: Likeness,
    size: int,
    held_out: list[str],
    rest: list[str],
    others: list[str],
) -> Quality:
    excluded = frozenset(wanted.excluded)
    held_out = [user for user in held_out if user not in excluded]
    others = [user for user in others if user not in excluded]
    if not held_out or not others:
        raise RefusedError(f"no member of {wanted.seed}, or nobody else, is left beside those who are excluded")
    seen = frozenset(wanted.seeds).difference(held_out)
    found = {user for user, _ in _best(engine, wanted, model, size, {*seen, *excluded})}
    rfm = {user: (r, f, m) for user, r, f, m in engine.query(f"SELECT user_id, r, f, m FROM ({wanted.rfm}) t").rows}
    candidates = len(held_out) + len(others)
    return Quality(
        len(wanted.seeds),
        len(held_out),
        candidates,
        sum(user in found for user in held_out) / len(held_out),
        min(1.0, size / candidates),
        nearest_recall(rfm, rest, held_out, others, size),
    )


def _best(engine: Engine, wanted: Wanted, model: Likeness, size: int, without: set[str]) -> list[tuple[str, float]]:
    rows = engine.query(model.ranking_sql(wanted.as_of, size + len(without))).rows
    return [(user, likeness) for user, likeness in rows if user not in without][:size]


def _rows(
    engine: Engine, features: list[Feature], as_of: int, users: Sequence[str]
) -> Iterator[tuple[str, Sequence[Any]]]:
    sql = f"SELECT * FROM ({features_sql(features, as_of)}) f WHERE user_id IN $users"
    for start in range(0, len(users), _AT_ONCE):
        for user, *values in engine.query(sql, {"users": users[start : start + _AT_ONCE]}).rows:
            yield user, values
