"""Gate 7: entries on which this user cannot be reached drop out."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress


def reach(q: Question) -> Verdict | None:
    q.entries = [(i, send) for i, send in q.entries if q.reaches(send.channel)]
    return None if q.entries else suppress("unreachable")
