"""One user's way through one journey: where, since when, and what became of its messages."""

from __future__ import annotations

import msgspec

from kairos.engine.event import Event
from kairos.engine.pattern.runs import Kept


class JourneyRun(msgspec.Struct, array_like=True, gc=False):
    """`version`: the definition (journey_version) that it last moved under. `at`: the key of the step that it waits at,
    "" when it is over, and kept for its goal alone. `since`: when it came there, or ended; `until`: when it goes on.

    `progress`: id of a message -> how far it has come (expression.functions.PROGRESS). `steps`: the events of the
    trigger and of `wait_for`, by name. Times are epoch ms. Kept small: there is one a user for weeks.
    """

    version: bytes
    occurrence: str
    entered: int
    at: str
    since: int
    until: int
    progress: dict[str, int]
    steps: dict[str, list[Kept]]
    control: bool = False
    goal_met: bool = False

    @property
    def inside(self) -> bool:
        return bool(self.at)

    def events(self) -> dict[str, list[Event]]:
        """The steps as they stand in cases and scopes."""
        return {name: [kept.event for kept in taken] for name, taken in self.steps.items()}
