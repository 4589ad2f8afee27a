"""One draw: of several candidates the best wins, but for a share of the draws that a hash decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kairos.engine.decision import share_of


class Draw(NamedTuple):
    """`winner`: its place among the candidates. `chances`: how likely each was to win, in their order."""

    winner: int
    chances: tuple[float, ...]


def draw(candidates: int, explore: float, salt: str, user_id: str) -> Draw:
    """Candidates stand best first. With e among m of them the best wins in 1 - e + e/m of all draws, others in e/m.

    `salt`: of the hash: the same draw has the same winner in every run.
    """
    even = explore / candidates
    chances = (round(1 - explore + even, 12), *[round(even, 12)] * (candidates - 1))
    point = share_of(user_id, salt)
    return Draw(int(point / explore * candidates) if point < explore else 0, chances)


def salt_of(group: str, occurrence: str, number: int) -> str:
    """`occurrence`: of the best candidate. `number`: of the draw, where several win at once."""
    return f"matching/{group}/{occurrence}/{number}" if number else f"matching/{group}/{occurrence}"


def free_slots(wins: Sequence[int], choose: int, per: int | None, now: int) -> int:
    """How many may win at `now`: `choose` less those that have won in (now - per, now]. Times in ms, ascending."""
    return max(0, choose - sum(at > now - (per or 1) for at in wins))


def free_at(wins: Sequence[int], choose: int, per: int) -> int:
    """When a slot is free again (ms), if none is now."""
    return wins[-choose] + per
