"""A match as `engine_by_definition` has it."""

from __future__ import annotations

from dataclasses import dataclass, field

from kairos.engine.event import Event
from kairos.engine.rule.model import Activity


@dataclass(eq=False)
class Wish:
    """A match that wants to be sent, and what has become of it."""

    activity: Activity
    trigger: Event
    at: int
    sent: list[tuple[int, str, int]] = field(default_factory=list)  # (at, channel, index of the entry)
    control: bool = False
    held: str = ""
    until: int = 0
    patient_until: int | None = None
    goal_met: bool = False
    over: bool = False
    decided: int | None = None  # a control or a watch
    window: bool = False  # it waits to be compared
    ghost: bool = False  # of the control group, and it is to be compared

    @property
    def first(self) -> int | None:
        return self.sent[0][0] if self.sent else None

    @property
    def waits(self) -> bool:
        return not self.over and bool(self.held or self.window)

    @property
    def fallback_at(self) -> int | None:
        """Every send counts as delivered at once, so only what must be read or clicked falls back."""
        if not self.sent or self.over:
            return None
        at, _, index = self.sent[-1]
        following = self.activity.send[index + 1 : index + 2]
        if following and following[0].after is not None and following[0].unless != "delivered":
            return at + following[0].after
        return None
