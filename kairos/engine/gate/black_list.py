"""Gate 2: nobody on the black list, whatever the white list says."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress


def black_list(q: Question) -> Verdict | None:
    return suppress("blacklist") if q.listed(q.plan.policy.black, "black") else None
