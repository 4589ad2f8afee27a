"""Pools of codes, written down in the slowest way: a list of all that was said, looked through for each answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kairos.engine.coupon.pools import Claim, Return


class Said(NamedTuple):
    kind: str  # filled, took, refused, left
    pool: str
    code: str = ""
    key: str = ""
    holder: str = ""
    user: str = ""


class Twin:
    def __init__(self) -> None:
        self.said: list[Said] = []

    def fill(self, pool: str, codes: Iterable[str]) -> int:
        new = [code for code in dict.fromkeys(codes) if not any((s.pool, s.code) == (pool, code) for s in self.said)]
        self.said += [Said("filled", pool, code) for code in new]
        return len(new)

    def take(self, claim: Claim) -> str | None:
        for s in self.said:
            if s.kind in ("refused", "left") and (s.pool, s.key, s.holder) == (claim.pool, claim.key, claim.holder):
                return s.code or None
        had = self.code_of(claim.pool, claim.key)
        if had is None:
            users = [self.user_of(claim.pool, code) for code in self.codes(claim.pool)].count(claim.user_id)
            free = self.free(claim.pool)
            if not free or (claim.per_user and users >= claim.per_user):
                self.said.append(Said("refused", claim.pool, "", claim.key, claim.holder))
                return None
            had = free[0]
        self.said.append(Said("took", claim.pool, had, claim.key, claim.holder, claim.user_id))
        return had

    def give_back(self, back: Return) -> None:
        code = self.code_of(back.pool, back.key)
        if code is not None and (back.key, back.holder) in self.holding(back.pool, code):
            self.said.append(Said("left", back.pool, code, back.key, back.holder))

    def codes(self, pool: str) -> list[str]:
        return [s.code for s in self.said if s.kind == "filled" and s.pool == pool]

    def holding(self, pool: str, code: str) -> dict[tuple[str, str], str]:
        """(key, holder) -> user, of those who have it now."""
        now: dict[tuple[str, str], str] = {}
        for s in self.said:
            if (s.pool, s.code) == (pool, code) and s.kind == "took":
                now[s.key, s.holder] = s.user
            elif (s.pool, s.code) == (pool, code) and s.kind == "left":
                now.pop((s.key, s.holder), None)
        return now

    def user_of(self, pool: str, code: str) -> str | None:
        return next(iter(self.holding(pool, code).values()), None)

    def code_of(self, pool: str, key: str) -> str | None:
        return next((c for c in self.codes(pool) if key in {k for k, _ in self.holding(pool, c)}), None)

    def free(self, pool: str) -> list[str]:
        """In the order in which they came, or came back."""
        came: dict[str, int] = {}
        for place, s in enumerate(self.said):
            if (s.pool == pool and s.kind == "filled") or (
                s.pool == pool and s.kind == "left" and self._emptied(place, s)
            ):
                came[s.code] = place
        return sorted((c for c in came if not self.holding(pool, c)), key=came.__getitem__)

    def _emptied(self, place: int, said: Said) -> bool:
        """Whether somebody had it before, and nobody after."""
        before, after = Twin(), Twin()
        before.said, after.said = self.said[:place], self.said[: place + 1]
        return bool(before.holding(said.pool, said.code)) and not after.holding(said.pool, said.code)
