"""The life of something that is to be approved: one table, run by the library `transitions`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import msgspec
from transitions import Machine

from kairos.adapters.control.approvals import Vote
from kairos.engine.rule.workflow.spec import Step
from kairos.engine.rule.workflow.steps import KINDS

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


def newest(votes: Sequence[Vote]) -> dict[str, list[Vote]]:
    """Subject -> the votes of its newest submission."""
    by_subject = sorted(votes, key=lambda vote: (vote.subject, vote.number))
    return {subject: last(list(each)) for subject, each in groupby(by_subject, key=lambda vote: vote.subject)}


def last(votes: list[Vote]) -> list[Vote]:
    """Those that were asked for together with the last one."""
    return [vote for vote in votes if (vote.key, vote.requested_at) == (votes[-1].key, votes[-1].requested_at)]


def step_of(vote: Vote) -> Step:
    """What the step asked for when it was submitted."""
    said = msgspec.json.decode(vote.policy)
    return Step(next(kind for kind in KINDS if kind in said), said)
