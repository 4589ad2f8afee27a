"""Identities in memory, for tests without Redis. `away`: it answers nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from kairos.adapters.identity import MAX_WAITING, Claims, IdentityAwayError
from kairos.engine.normalise import Claim


class MemoryIdentity:
    def __init__(self) -> None:
        self.away = False
        self.bound: dict[Claim, str] = {}
        self.kept: dict[Claim, list[bytes]] = defaultdict(list)
        self.merging: dict[str, list[bytes]] = defaultdict(list)

    async def users(self, claims: Collection[Claim]) -> dict[Claim, str]:
        self._answer()
        return {claim: self.bound[claim] for claim in claims if claim in self.bound}

    async def waiting(self, claims: Claims, user_id: str) -> list[bytes]:
        self._answer()
        return [*self.merging[user_id], *(draft for claim in claims for draft in self.kept[claim])]

    async def wait(self, many: Sequence[tuple[Claims, bytes]]) -> list[str | None]:
        self._answer()
        users = [next((self.bound[claim] for claim in claims if claim in self.bound), None) for claims, _ in many]
        for (claims, draft), user in zip(many, users, strict=True):
            if user is None:
                self.kept[claims[0]] = [*self.kept[claims[0]], draft][-MAX_WAITING:]
        return users

    async def bind(self, claims: Claims, user_id: str) -> list[bytes]:
        self._answer()
        for claim in claims:
            self.bound[claim] = user_id
            self.merging[user_id] += self.kept.pop(claim, [])
        return list(self.merging[user_id])

    async def merged(self, user_id: str, drafts: Sequence[bytes]) -> None:
        self._answer()
        self.merging[user_id] = [draft for draft in self.merging[user_id] if draft not in drafts]

    def _answer(self) -> None:
        if self.away:
            raise IdentityAwayError("Redis does not answer: it is away")
