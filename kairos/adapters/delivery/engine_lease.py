"""Who may decide: one engine for each consumer group and its topics, told by a lease with a generation in SQL.

Whoever starts takes the next generation, and only where the one before shows no life; whoever runs says each second
that it lives, and learns that it has been replaced. Each delivery carries the `fence` of the engine that decided it,
so that workers refuse what an engine decided after it had been replaced, whatever has become of it meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from kairos.adapters.database.column_types import NAME, TEXT
from kairos.adapters.database.connection import away

METADATA = sql.MetaData()

LEASES = sql.Table(
    "engine_leases",
    METADATA,
    # One row for each start: `lease` is the digest of group and topics, `scope` both of them for people.
    sql.Column("lease", sql.String(16), primary_key=True),
    sql.Column("generation", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("scope", TEXT, nullable=False),
    sql.Column("holder", NAME, nullable=False),
    # Times are epoch ms. `seen_at` grows while the holder lives; 0: it has ended in order.
    sql.Column("taken_at", sql.BigInteger, nullable=False),
    sql.Column("seen_at", sql.BigInteger, nullable=False),
)

PATIENCE_MS = 10_000
"""A holder that shows no life for so long is gone. It shows it every second."""
STARTING_MS = 60_000
"""One that has shown none since it took the lease may still be starting for so long."""
LOOK_MS = 500


class HeldError(Exception):
    """Another engine is at work; the message names it, and what to do. `holder`: who that is, where it is known."""

    def __init__(self, message: str, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


class ReplacedError(Exception):
    """A later start has taken the lease: this engine must decide nothing any more."""


class Lease(msgspec.Struct, frozen=True):
    """`generation` of the lease `name`. `taken_at`: epoch ms."""

    name: str
    generation: int
    holder: str
    taken_at: int
    seen_at: int

    @property
    def fence(self) -> str:
        """What deliveries carry: `<lease>/<generation>`."""
        return f"{self.name}/{self.generation}"


def name_of(scope: str) -> str:
    return hashlib.blake2b(scope.encode(), digest_size=8).hexdigest()


class Leases:
    """Calls block. All raise DatabaseAwayError."""

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine

    def take(
        self, scope: str, holder: str, now: Callable[[], int], sleep: Callable[[int], object], *, by_force: bool = False
    ) -> Lease:
        """The next generation. Raises HeldError where the last one shows life, or another start is faster.

        It is watched for a while, by changes and not by clocks: those of two machines may differ.
        """
        last = self._last(name_of(scope))
        if last is not None and not by_force:
            self._watch(scope, last, sleep)
        generation = last.generation + 1 if last is not None else 1
        taken_at = now()
        lease = Lease(name_of(scope), generation, holder[:190], taken_at, taken_at)
        row = {"lease": lease.name, "generation": generation, "scope": scope, "holder": lease.holder}
        try:
            with self._engine.begin() as connection:
                connection.execute(LEASES.insert(), {**row, "taken_at": lease.taken_at, "seen_at": lease.seen_at})
        except IntegrityError:
            raise HeldError(f"another engine has just started on {scope}") from None
        except SQLAlchemyError as error:
            raise away(error) from None
        return lease

    def _watch(self, scope: str, last: Lease, sleep: Callable[[int], object]) -> None:
        waited, seen = 0, last
        patience = STARTING_MS if last.seen_at == last.taken_at else PATIENCE_MS
        while waited < patience and seen.seen_at:
            sleep(LOOK_MS)
            waited += LOOK_MS
            seen = self._last(last.name) or last
            if seen.generation != last.generation or seen.seen_at > last.seen_at:
                raise HeldError(
                    f"another engine is at work on {scope}: {seen.holder}, generation {seen.generation}. Two would "
                    "send twice. Stop it first; --take-over replaces it",
                    seen.holder,
                )

    def renew(self, lease: Lease, now: int) -> None:
        """Says that the holder lives. Raises ReplacedError."""
        mine = sql.and_(LEASES.c.lease == lease.name, LEASES.c.generation == lease.generation)
        try:
            with self._engine.begin() as connection:
                connection.execute(LEASES.update().where(mine), {"seen_at": now})
        except SQLAlchemyError as error:
            raise away(error) from None
        last = self._last(lease.name)
        if last is not None and last.generation > lease.generation:
            raise ReplacedError(f"generation {lease.generation} has been replaced by {last.generation}, {last.holder}")

    def release(self, lease: Lease) -> None:
        """Gives the lease back, so that the next start need not wait."""
        mine = sql.and_(LEASES.c.lease == lease.name, LEASES.c.generation == lease.generation)
        try:
            with self._engine.begin() as connection:
                connection.execute(LEASES.update().where(mine), {"seen_at": 0})
        except SQLAlchemyError as error:
            raise away(error) from None

    def all(self) -> list[Lease]:
        columns = [LEASES.c[name] for name in ("lease", "generation", "holder", "taken_at", "seen_at")]
        try:
            with self._engine.connect() as connection:
                return [Lease(*values) for values in connection.execute(sql.select(*columns))]
        except SQLAlchemyError as error:
            raise away(error) from None

    def _last(self, name: str) -> Lease | None:
        found = [lease for lease in self.all() if lease.name == name]
        return max(found, key=lambda lease: lease.generation, default=None)
