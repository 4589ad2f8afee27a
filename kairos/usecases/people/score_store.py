"""`kairos scores build`: scores into the warehouse's table, and into the profiles that rules read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import redis

from kairos.adapters.profiles.fields import Fields, set_in_file, set_in_redis
from kairos.adapters.profiles.redis import connect, without_password
from kairos.adapters.warehouse.change import changing
from kairos.adapters.warehouse.folder import Folder, next_place
from kairos.adapters.warehouse.incoming import Incoming
from kairos.adapters.warehouse.merge import Merge
from kairos.adapters.warehouse.opening import DUCKDB
from kairos.engine.profile.fields import SCORE
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet
from kairos.engine.warehouse.tables import SCORES
from kairos.errors import KairosError
from kairos.usecases.control.deeds import write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import InputError, reason_of
from kairos.usecases.people.lookalike import Alike
from kairos.usecases.people.scores import Fitted, ScoreError, fit_score, named, open_sources
from kairos.usecases.progress import Progress, silent

Write = Callable[[Fields], object]


@dataclass(frozen=True)
class Built:
    """`users`: score -> how many have it; `profiles`: how many were written."""

    users: dict[str, int]
    profiles: int


def build(
    warehouse: Path,
    rules: RuleSet,
    loaded: Loaded,
    folder: Path,
    names: Sequence[str],
    as_of: int | None = None,
    write: Write | None = None,
    engine: str = DUCKDB,
    progress: Progress = silent,
    *,
    actor: Actor,
    now: int,
    log: str | None,
) -> Built:
    """All of the named scores, or none. `write`: what puts them into profiles. `log`: the rule store in whose log
    stands that `actor` has built them, at `now` (epoch ms). Raises NotAllowedError and KairosError."""
    actor.need("write")
    if not names:
        raise ScoreError(f"{folder}: scores.yaml names no scores")
    with open_sources(warehouse, rules, loaded, folder, engine) as sources:
        known, fitted = sources.as_of(as_of), list[Fitted]()
        with progress("scores", len(names)) as tell:
            for name in names:
                fitted.append(fit_score(sources, name, named(name, loaded.scores, rules.crowds), known))
                if tell is not None:
                    tell(len(fitted))
        had = {name: sources.scored(name) for name in names} if write else {}
    for name in names:
        write_people(log, actor, "build_scores", f"score/{name}", now)
    keep(warehouse, fitted)
    fields = _fields(fitted, had) if write else {}
    if write and fields:
        write(fields)
    return Built({one.score: one.n for one in fitted}, len(fields))


def keep(warehouse: Path, fitted: Sequence[Fitted]) -> None:
    """Replaces the rows of these scores in the warehouse, all at once. Raises WarehouseError."""
    with changing(Folder(warehouse)) as change:
        merge = Merge(change.folder, change.staging)
        try:
            gone = merge.without_rows(SCORES, "score", [one.score for one in fitted])
        finally:
            merge.close()
        incoming = Incoming(SCORES, change.staging / "scores.parquet")
        for one in fitted:
            for user, value in sorted(one.values.items()):
                reasons = one.reasons.get(user)
                told = msgspec.json.encode(reasons).decode() if reasons else None
                incoming.add((one.score, user, value, one.as_of, told))
        incoming.close()
        place = next_place(change.folder.path / SCORES.name, gone.add.values())
        change.commit({**gone.add, incoming.path: place}, gone.remove)


def keep_alike(warehouse: Path, crowd: str, alike: Sequence[Alike], as_of: int) -> None:
    """Of the members of a lookalike: how much each is like the seeds, and why, as a score of the crowd's name. Raises
    WarehouseError."""
    values, reasons = {one.user_id: one.score for one in alike}, {one.user_id: one.reasons for one in alike}
    keep(warehouse, [Fitted(crowd, "lookalike", as_of, values, reasons=reasons)])


def profile_writer(address: str | None, file: Path | None) -> Write | None:
    """Writes into this Redis, and into this file of profiles; None: into neither."""
    if address is None and file is None:
        return None

    def write(fields: Fields) -> None:
        try:
            if address is not None:
                set_in_redis(connect(address), fields)
            if file is not None:
                set_in_file(file, fields)
        except (redis.RedisError, ValueError) as error:
            raise KairosError(f"no scores can be written to {without_password(address or '')}: {error}") from None
        except OSError as error:
            raise InputError("the profiles", str(file), reason_of(error)) from None

    return write


def _fields(fitted: Iterable[Fitted], had: Mapping[str, Iterable[str]]) -> dict[str, dict[str, float | None]]:
    """Who `had` a score (name -> users) and has none now loses it."""
    fields: dict[str, dict[str, float | None]] = {}
    for one in fitted:
        for user in had.get(one.score, ()):
            fields.setdefault(user, {})[SCORE + one.score] = None
        for user, value in one.values.items():
            fields.setdefault(user, {})[SCORE + one.score] = value
    return fields
