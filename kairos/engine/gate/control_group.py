"""Gate 5: who is in the control group ends here, by a stable hash of any id she has had, or as a crowd's member.

Where messages compete (`matching`) they go on as ghosts: nothing is sent, but the slot may be theirs.
"""

from __future__ import annotations

from kairos.engine.decision import share_of
from kairos.engine.gate.question import Question, Verdict, competes
from kairos.engine.profile.merged import merged_in


def control_group(q: Question) -> Verdict | None:
    control = q.activity.spec.audience.control
    if control is None or not q.first_attempt:
        return None
    if isinstance(control, str):
        inside = q.scope.in_crowd(control)
    else:
        ids = (q.user_id, *merged_in(q.profile).ids)
        inside = any(share_of(user, q.activity.name) < control for user in ids)
    if inside and competes(q.activity, q.program):
        q.ghost = True  # it takes a slot from others just as the message would
        return None
    return Verdict("control") if inside else None
