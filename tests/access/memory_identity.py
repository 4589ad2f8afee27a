"""Identities in memory, for tests without Redis. `away`: it answers nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence

from kairos.adapters.profiles.identity import MAX_WAITING, PIECE_BYTES, WAITING_BYTES, Claims, IdentityAwayError, Waited
from kairos.engine.source.normalise import Claim


class MemoryIdentity:
    def __init__(self) -> None:
        self.away = False
        self.bound: dict[Claim, str] = {}
        self.kept: dict[Claim, list[bytes]] = defaultdict(list)
        self.merging_of: dict[str, list[bytes]] = defaultdict(list)

    async def users(self, claims: Collection[Claim]) -> dict[Claim, str]:
        self._answer()
        return {claim: self.bound[claim] for claim in claims if claim in self.bound}

    async def waiting(self, claims: Claims, user_id: str) -> AsyncIterator[list[bytes]]:
        self._answer()
        for drafts in (self.merging_of[user_id], *(self.kept[claim] for claim in claims)):
            at = 0
            while piece := _piece(drafts[at:]):
                yield piece
                at += len(piece)

    async def wait(self, many: Sequence[tuple[Claims, bytes]]) -> list[Waited]:
        self._answer()
        return [self._wait(claims, draft) for claims, draft in many]

    def _wait(self, claims: Claims, draft: bytes) -> Waited:
        user = next((self.bound[claim] for claim in claims if claim in self.bound), None)
        if user is not None:
            return Waited(user, [])
        kept, dropped = [*self.kept[claims[0]], draft], []
        while len(kept) > 1 and (len(kept) > MAX_WAITING or sum(map(len, kept)) > WAITING_BYTES):
            dropped.append(kept.pop(0))
        self.kept[claims[0]] = kept
        return Waited(None, dropped)

    async def bind(self, claims: Claims, user_id: str) -> None:
        self._answer()
        for claim in claims:
            self.bound[claim] = user_id
            self.merging_of[user_id] += self.kept.pop(claim, [])

    async def merging(self, user_id: str) -> list[bytes]:
        self._answer()
        return _piece(self.merging_of[user_id])

    async def merged(self, user_id: str, drafts: Sequence[bytes]) -> None:
        self._answer()
        self.merging_of[user_id] = [draft for draft in self.merging_of[user_id] if draft not in drafts]

    def _answer(self) -> None:
        if self.away:
            raise IdentityAwayError("Redis does not answer: it is away")


def _piece(drafts: Sequence[bytes]) -> list[bytes]:
    piece: list[bytes] = []
    for draft in drafts:
        if sum(map(len, piece)) >= PIECE_BYTES:
            break
        piece.append(draft)
    return piece
