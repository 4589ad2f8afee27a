"""A store of codes: the engine's port, and what fills and shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from kairos.engine.coupon.pools import Claim, Return
from kairos.errors import KairosError

ANSWERED_FOR = 7 * 86_400
"""How long (s) it is known what a message was answered that holds no code any more, or never did: a decision that is
made again within it comes out the same."""


class CouponStoreError(KairosError):
    """The store does not answer, or cannot be opened."""


class Counts(NamedTuple):
    known: int
    free: int
    taken: int


class Contents(NamedTuple):
    """All of a pool at one moment. `known`: how many codes were ever in it. `held`: (code, the key of who has it)."""

    known: int
    free: list[str]
    held: list[tuple[str, str]]


class CouponStore(Protocol):
    """All raise CouponStoreError. Each call is atomic, and may be repeated when nobody knows whether it arrived."""

    def take(self, claim: Claim) -> str | None: ...

    def give_back(self, back: Return) -> None: ...

    def fill(self, pool: str, codes: Iterable[str]) -> int:
        """Adds the codes that were never in the pool, and returns how many."""
        ...

    def counts(self, pool: str) -> Counts: ...

    def contents(self, pool: str) -> Contents: ...

    def close(self) -> None: ...
