"""Who is in a kept crowd as of a time, worked out in the warehouse; nothing is put before the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kairos.adapters.warehouse.port import Engine, QueryError
from kairos.engine.crowd.select import NotComputedError
from kairos.engine.crowd.spec import Lookalike, Members
from kairos.engine.expression.sql.pieces import NotInSql
from kairos.usecases.crowds.look import SHOWN_MEMBERS
from kairos.usecases.crowds.members import Members as Computing
from kairos.usecases.crowds.past import past_of
from kairos.usecases.crowds.places import Places, builds, live_build
from kairos.usecases.errors import AskError
from kairos.usecases.people.lookalike import Alike, RefusedError, find_alike, wanted_of

NOT_COMPUTED = (QueryError, NotInSql, NotComputedError, RefusedError)


@dataclass(frozen=True)
class Computed:
    """`members`: Parquet with a column user_id, each once. `alike`: of a lookalike, how much each is alike and why."""

    members: Path
    alike: list[Alike]


def compute(engine: Engine, places: Places, name: str, as_of: int) -> Computed:
    """`members` lies in the scratch folder of the engine. Raises what NOT_COMPUTED names."""
    rules, known = places.rules, builds(engine)

    def is_fixed(other: str) -> bool:
        """A crowd that was judged as of then is what it was judged to be: refused, the one before."""
        crowd, history = rules.crowds[other], known.get(other, [])
        by_hand = isinstance(crowd, Lookalike) or (isinstance(crowd, Members) and crowd.users is None)
        judged = bool(history) and history[-1].as_of_ms == as_of and live_build(history) is not None
        return by_hand or judged

    past, crowd = past_of(engine, places, as_of, is_fixed), rules.crowds[name]
    computing = Computing(engine, past, rules.crowds, is_fixed, engine.scratch, places.seconds)
    if not isinstance(crowd, Lookalike):
        return Computed(computing.of(name), [])
    wanted = wanted_of(crowd, rules.crowds, past, lambda of: set(computing.named(of)), places.measures.purchase)
    alike, _ = find_alike(engine, wanted, crowd.size)
    return Computed(computing.written(one.user_id for one in alike), alike)


@dataclass(frozen=True)
class Tried:
    """A crowd that nobody has built. `overlap`: kept crowds -> users in both. `members`: some of them."""

    size: int
    overlap: dict[str, int]
    members: list[str]


def try_crowd(places: Places, name: str, as_of: int) -> Tried:
    """Raises NotThereError, AskError where it cannot be worked out, and WarehouseError."""
    places.kept(name)
    with places.asking(places.engine) as engine:
        try:
            file = compute(engine, places, name, as_of).members
        except NOT_COMPUTED as error:
            raise AskError(f"the crowd '{name}': {error}") from None
        return _told(engine, file)


def _told(engine: Engine, file: Path) -> Tried:
    own = f"SELECT user_id FROM read_parquet('{file}')"  # a name that this process has given
    size: int = engine.query(f"SELECT count(*) FROM ({own})").rows[0][0]
    shared = engine.query(
        f"SELECT m.crowd, count(*) FROM crowd_members m JOIN ({own}) o ON o.user_id = m.user_id"
        " WHERE m.to_n IS NULL GROUP BY 1 ORDER BY 1"
    )
    some = engine.query(f"{own} ORDER BY user_id LIMIT {SHOWN_MEMBERS}")
    return Tried(size, dict(shared.rows), [user for (user,) in some.rows])
