"""One thing that happens to one case."""

from __future__ import annotations

import msgspec

from kairos.engine.decision import Cause, Verdict
from kairos.engine.gate.question import Question
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend
from kairos.engine.user.case import Case
from kairos.engine.user.moment import Instant, Moment, at_case


class Turn(msgspec.Struct, frozen=True, eq=False):
    """`status`, `at`: of a receipt, the time is event time in ms. `cause`: why it stops.

    `question`, `verdict`: what the gates were asked, and have said.
    """

    instant: Instant
    activity: CompiledActivity
    case: Case
    status: str = ""
    at: int = 0
    cause: Cause | None = None
    question: Question | None = None
    verdict: Verdict | None = None

    @property
    def now(self) -> int:
        return self.instant.now

    @property
    def moment(self) -> Moment:
        """What the activity's expressions are asked against."""
        return self.question.scope if self.question is not None else at_case(self.instant, self.activity, self.case)

    @property
    def following(self) -> CompiledSend | None:
        """The entry of `send` that stands in for the last one, if there is one."""
        return self.activity.entry_after(self.case.entry, self.instant.user_id)
