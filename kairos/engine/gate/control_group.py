"""Gate 5: who is in the control group ends here, by a stable hash or as a crowd's member."""

from __future__ import annotations

from kairos.engine.decision import share_of
from kairos.engine.gate.question import Question, Verdict


def control_group(q: Question) -> Verdict | None:
    control = q.activity.spec.audience.control
    if control is None or not q.first_attempt:
        return None
    inside = q.scope.in_crowd(control) if isinstance(control, str) else share_of(q.user_id, q.activity.name) < control
    return Verdict("control") if inside else None
