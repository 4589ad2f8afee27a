"""Identities in memory, for tests without Redis. `away`: it answers nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kairos.adapters.identity import MAX_WAITING, Claims, IdentityAwayError
from kairos.engine.normalise import Claim


class MemoryIdentity:
    def __init__(self) -> None:
        self.away = False
        self.bound: dict[Claim, str] = {}
        self.waiting: dict[Claim, list[bytes]] = defaultdict(list)
        self.merging: dict[str, list[bytes]] = defaultdict(list)

    async def users(self, many: Sequence[Claims]) -> list[str | None]:
        self._answer()
        return [next((self.bound[claim] for claim in claims if claim in self.bound), None) for claims in many]

    async def wait(self, many: Sequence[tuple[Claims, bytes]]) -> list[str | None]:
        users = await self.users([claims for claims, _ in many])
        for (claims, draft), user in zip(many, users, strict=True):
            if user is None:
                self.waiting[claims[0]] = [*self.waiting[claims[0]], draft][-MAX_WAITING:]
        return users

    async def bind(self, claims: Claims, user_id: str) -> list[bytes]:
        self._answer()
        for claim in claims:
            self.bound[claim] = user_id
            self.merging[user_id] += self.waiting.pop(claim, [])
        return list(self.merging[user_id])

    async def merged(self, user_id: str, drafts: Sequence[bytes]) -> None:
        self._answer()
        for draft in drafts:
            self.merging[user_id].remove(draft)

    def _answer(self) -> None:
        if self.away:
            raise IdentityAwayError("Redis does not answer: it is away")
