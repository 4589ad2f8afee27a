"""Gate 1: the activity is live, and now is inside `active`."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress


def state_and_dates(q: Question) -> Verdict | None:
    spec = q.activity.spec
    state = q.instant.surroundings.switches.state_of(spec, q.now)
    if state == "paused":
        return suppress("paused")
    if state != "live":
        return suppress("state")
    start, end = spec.active.start, spec.active.end
    if (start is not None and q.now < start) or (end is not None and q.now >= end):
        return suppress("dates")
    return None
