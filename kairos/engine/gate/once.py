"""Gate 4: `limits.once`, of this user and activity, over (t - D, t]. A fallback is not a second time."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress


def once(q: Question) -> Verdict | None:
    limit = q.activity.spec.limits.once
    last = q.state.once.get(q.activity.name)
    if limit == "occurrence" or last is None or not q.first_attempt:
        return None
    return suppress("once") if limit == "ever" or last > q.now - limit else None
