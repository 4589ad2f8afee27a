"""Gate 4: `limits.once`, of this user and activity, over (t - D, t]. A fallback is not a second time."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress
from kairos.engine.profile.merged import merged_in
from kairos.engine.rule.model import OncePer
from kairos.engine.user.once import once_key


def once(q: Question) -> Verdict | None:
    limit = q.activity.spec.limits.once
    if limit == "occurrence" or not q.first_attempt:
        return None
    own = q.state.once.get(once_key(q.activity, q.case))
    if q.case.control and own == q.case.sent_at:
        own = q.case.once_was  # it is not too often because of itself
    sent = (own, merged_in(q.profile).once.get(q.activity.name) if q.instant.live is None else None)
    last = max((at for at in sent if at is not None), default=None)
    if last is None:
        return None
    span = limit.span if isinstance(limit, OncePer) else limit
    return suppress("once") if span == "ever" or last > q.now - span else None
