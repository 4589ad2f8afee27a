"""Epochs of an activity: as long as its users are drawn for its arms in one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kairos.engine.decision import share_of
from kairos.engine.measure.outcome import CONTROL, TREATED


class Arms(NamedTuple):
    """How users are drawn. `control`: a share, or a crowd's name; `variants`: (name, weight) of each."""

    control: float | str | None
    variants: tuple[tuple[str, float], ...]
    salt: str


class Island(NamedTuple):
    """Entries that follow each other under the same arms, times in ms, both ends included."""

    arms: Arms
    first: int
    last: int


class Epoch(NamedTuple):
    """`before`: the arms of the epoch before it, None in the first. `rolled_out`: the version, where it is that of a
    rollout, which has an epoch of its own beside the others; "" elsewhere."""

    number: int
    arms: Arms
    before: Arms | None
    islands: tuple[Island, ...]
    rolled_out: str = ""

    @property
    def leaving(self) -> tuple[float, float] | None:
        """Users whose hash is in [a, b) were in another arm before: they leave all arms. None: nobody does."""
        if self.before is None or self.before.salt != self.arms.salt:
            return None
        shares = sorted((_share(self.before), _share(self.arms)))
        return None if shares[0] == shares[1] else (shares[0], shares[1])

    def leaves(self, user_id: str) -> bool:
        between = self.leaving
        return between is not None and between[0] <= share_of(user_id, self.arms.salt) < between[1]

    @property
    def shares(self) -> dict[str, float] | None:
        """Arm -> the share of those who remain; None where a crowd is the control group."""
        if isinstance(self.arms.control, str):
            return None
        low, high = self.leaving or (_share(self.arms),) * 2
        remaining = low + 1 - high
        if remaining <= 0:
            return None
        weights = dict(self.arms.variants) or {TREATED: 1.0}
        whole = sum(weights.values())
        treated = {name: (1 - high) / remaining * weight / whole for name, weight in weights.items()}
        return {CONTROL: low / remaining, **treated}


def _share(arms: Arms) -> float:
    return arms.control if isinstance(arms.control, float) else 0.0


def epochs(islands: Sequence[Island]) -> list[Epoch]:
    """`islands` in order of time. Arms that come back begin a new epoch, unless the current ones come back after them:
    then these are matches in flight that were finished under the old rules, and belong to the epoch of those."""
    order: list[Arms] = []
    parts: list[list[Island]] = []
    for number, island in enumerate(islands):
        later = {other.arms for other in islands[number + 1 :]}
        if not order or (island.arms != order[-1] and not (island.arms in order and order[-1] in later)):
            order.append(island.arms)
            parts.append([])
        place = len(order) - 1 - order[::-1].index(island.arms)
        parts[place].append(island)
    before = [None, *order]
    return [Epoch(i + 1, arms, before[i], tuple(parts[i])) for i, arms in enumerate(order)]


def islands_of(found: Sequence[tuple[int, int, int]], arms: Mapping[int, Arms]) -> list[Island]:
    """`found`: (number of the arms, first, last) in order of time."""
    return [Island(arms[number], first, last) for number, first, last in found]
