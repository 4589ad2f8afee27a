"""When each user of a run has his turn: in the order of a hash, in waves, at a rate, and not after `until`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kairos.engine.decision import share_of
from kairos.engine.rule.model import Pace

ALL_AT_ONCE = Pace()


@dataclass(frozen=True, slots=True)
class Turn:
    """`after`: ms after the slot; `place` in the run's order. `expired`: not in time any more, so it ends there."""

    user_id: str
    after: int
    place: float = 0.0
    expired: bool = False


def place_of(user_id: str, activity: str, slot: str) -> float:
    """Where in [0, 1) a user stands in a run. Every run has an order of its own, so its first wave is a sample."""
    return share_of(user_id, f"{activity}/{slot}")


def in_order(users: Iterable[str], activity: str, slot: str) -> list[tuple[float, str]]:
    return sorted((place_of(user, activity, slot), user) for user in users)


def turns(pace: Pace | None, placed: Iterable[tuple[float, str]], delay: int = 0) -> Iterator[Turn]:
    """`placed`: as `in_order` gives them. `delay`: ms by which all of it has begun late."""
    pace = pace or ALL_AT_ONCE
    wave, tick, taken = 0, 0, 0
    for place, user in placed:
        while pace.waves and place >= pace.waves[wave]:
            wave += 1
        after = wave * pace.every
        if pace.rate:
            first = -(-after // pace.per)
            if first > tick:
                tick, taken = first, 0
            elif taken == pace.rate:
                tick, taken = tick + 1, 0
            taken += 1
            after = tick * pace.per
        after += delay
        yield Turn(user, after, place) if after <= pace.until else Turn(user, pace.until, place, expired=True)
