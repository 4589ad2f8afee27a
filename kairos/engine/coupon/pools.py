"""Who gives codes out: the port, and pools that live as long as one run.

A code is held by an occurrence, under a key; the messages of one journey run share it. When every message that held it
has come to nothing, it goes back to the end of its pool. A message that asks again is answered as before, so a decision
that is made again after a restore is the same: also one that was refused, and one that has given its code back, whose
second delivery the ledger stops.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """A code of `pool` for one message. `name`: in its `data`. `key`: of the occurrence; `holder`: of its message.

    `per_user` 0: no limit.
    """

    name: str
    pool: str
    key: str
    holder: str
    user_id: str
    per_user: int = 0


class Return(msgspec.Struct, frozen=True, array_like=True):
    """What a message held that never went."""

    pool: str
    key: str
    holder: str
    user_id: str


class Coupons(Protocol):
    """The port. Each call is one step: it has happened as a whole, or not at all."""

    def take(self, claim: Claim) -> str | None:
        """The code; None: none is left, or the user has had as many as one may have."""
        ...

    def give_back(self, back: Return) -> None: ...


def take_all(coupons: Coupons, claims: Sequence[Claim]) -> dict[str, str] | None:
    """Name in `data` -> code. None: one of them is not to be had, and the message holds none of the others."""
    codes: dict[str, str] = {}
    for place, claim in enumerate(claims):
        code = coupons.take(claim)
        if code is None:
            for taken in claims[:place]:
                coupons.give_back(Return(taken.pool, taken.key, taken.holder, taken.user_id))
            return None
        codes[claim.name] = code
    return codes


class Pools:
    """In memory, of one run: codes go out in the order of the file, those that came back after the others."""

    def __init__(self, codes: Mapping[str, Sequence[str]]) -> None:
        self._free = {name: deque(given) for name, given in codes.items()}
        self._taken: dict[tuple[str, str], str] = {}
        self._holders: dict[tuple[str, str], set[str]] = {}
        self._answers: dict[tuple[str, str, str], str | None] = {}
        self._of_user: Counter[tuple[str, str]] = Counter()

    def take(self, claim: Claim) -> str | None:
        at, user, asked = (claim.pool, claim.key), (claim.pool, claim.user_id), (claim.pool, claim.key, claim.holder)
        if asked in self._answers:
            return self._answers[asked]
        if at not in self._taken:
            free, beyond = self._free.get(claim.pool), 0 < claim.per_user <= self._of_user[user]
            if not free or beyond:
                self._answers[asked] = None
                return None
            self._taken[at] = free.popleft()
            self._of_user[user] += 1
        self._holders.setdefault(at, set()).add(claim.holder)
        return self._taken[at]

    def give_back(self, back: Return) -> None:
        at = (back.pool, back.key)
        holders = self._holders.get(at, set())
        if back.holder not in holders:
            return
        self._answers[back.pool, back.key, back.holder] = self._taken[at]
        holders.discard(back.holder)
        if not holders:
            self._free[back.pool].append(self._taken.pop(at))
            self._of_user[back.pool, back.user_id] -= 1
            del self._holders[at]
