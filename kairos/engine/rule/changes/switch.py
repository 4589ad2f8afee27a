"""The switch: an activity is paused, resumed or ended while the job runs, and no release is made for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import Activity, State

Position = Literal["live", "paused", "ended"]
KEPT = 8
"""So many of the newest turns of an activity are known: what is replayed asks for no older one."""


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """From event time `since` (epoch ms) on. `number` grows with each turn of any activity."""

    number: int
    since: int
    state: Position


class Switches(msgspec.Struct, frozen=True):
    """Activity, or journey -> its turns, oldest first; what is not here was never turned. `number`: of the newest."""

    number: int = 0
    turns: dict[str, tuple[Turn, ...]] = {}

    def at(self, name: str, now: int) -> Position:
        """Of an activity or journey by name, at event time `now`."""
        return next((turn.state for turn in reversed(self.turns.get(name, ())) if turn.since <= now), "live")

    def state_of(self, activity: Activity, now: int) -> State:
        """What the release says, unless the switch is stricter. A part of a journey goes with the whole."""
        if not self.turns:
            return activity.state
        return stricter(self.at(journey_of(activity.name), now), activity.state)

    def with_turns(self, turns: Iterable[tuple[str, Turn]]) -> Switches:
        """`turns`: newer ones, in the order of their numbers."""
        number, known = self.number, dict(self.turns)
        for name, turn in turns:
            number = turn.number
            known[name] = (*known.get(name, ()), turn)[-KEPT:]
        return Switches(number, known)


def stricter(turned: Position, by_file: State) -> State:
    """Of the switch and of what the release says; a draft is no less of one while it is paused."""
    return turned if turned == "ended" or (turned == "paused" and by_file == "live") else by_file
