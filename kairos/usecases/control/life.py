"""The life of something that is to be approved: one table, run by the library `transitions`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transitions import Machine

from kairos.adapters.control.approvals import Vote

STATES = ("draft", "in_review", "approved", "rejected", "lapsed")

TRANSITIONS: list[dict[str, Any]] = [
    {"trigger": "submit", "source": ["draft", "rejected", "lapsed"], "dest": "in_review"},
    {"trigger": "approve", "source": "in_review", "dest": "approved", "conditions": "is_complete"},
    {"trigger": "approve", "source": "in_review", "dest": "in_review"},
    {"trigger": "reject", "source": ["in_review", "approved"], "dest": "rejected"},
    {"trigger": "lapse", "source": ["in_review", "approved"], "dest": "lapsed"},
]
"""Publishing changes nothing here: what was approved may run. What runs is the switch's affair."""

_MACHINE = Machine(None, states=list(STATES), transitions=TRANSITIONS, initial="draft", auto_transitions=False)
"""Made once: the making takes milliseconds, and there are as many reviews as subjects."""


class Review:
    """`votes`: of one submission, in the order of its steps, as they stand. `now`: epoch ms. The machine gives it
    `trigger`."""

    state: str
    trigger: Callable[[str], bool]

    def __init__(self, votes: Sequence[Vote], now: int) -> None:
        self._votes = list(votes)
        self._given = 0
        _MACHINE.add_model(self)
        _MACHINE.remove_model(self)  # it keeps what it was given, and would hold every review for ever
        if votes:
            self._live(now)

    def _live(self, now: int) -> None:
        self.trigger("submit")
        decided = sorted((vote for vote in self._votes if vote.decision), key=lambda vote: vote.decided_at or 0)
        for vote in decided:
            self._given += vote.decision == "approved"
            self.trigger("reject" if vote.decision == "rejected" else "approve")
        if self.state in ("in_review", "approved") and now >= min(vote.expires_at for vote in self._votes):
            self.trigger("lapse")

    def is_complete(self) -> bool:
        return self._given == len(self._votes)

    @property
    def open(self) -> list[Vote]:
        """Votes of the step whose turn it is; none: nobody is asked."""
        if self.state != "in_review":
            return []
        waiting = [vote for vote in self._votes if vote.decision is None]
        return [vote for vote in waiting if vote.step == waiting[0].step]

    @property
    def opened_at(self) -> int:
        """When (epoch ms) the turn of the open step came."""
        decided = [vote.decided_at for vote in self._votes if vote.decided_at is not None]
        return max([self._votes[0].requested_at, *decided])
