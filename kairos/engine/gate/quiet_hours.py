"""Gate 6: nobody is woken at night, on the user's own clock."""

from __future__ import annotations

from kairos.engine.channel import WAKES_NOBODY
from kairos.engine.gate.question import Question, Verdict, suppress
from kairos.engine.policy.quiet_hours import quiet_until
from kairos.engine.rule.compiled import CompiledSend


def quiet_hours(q: Question) -> Verdict | None:
    """Entries that wake nobody may go at any time, so where the preferred one does, only such ones stay."""
    quiet, wish = q.program.policy.quiet_hours, q.activity.spec.limits.quiet_hours
    if quiet is None or wish == "ignore" or q.white:
        return None
    until = quiet_until(quiet, q.now, q.zone)
    if until is None:
        return None
    preferred = _preferred(q)
    if preferred is not None and preferred.channel in WAKES_NOBODY:
        q.entries = [(i, send) for i, send in q.entries if send.channel in WAKES_NOBODY]
        return None
    return suppress("quiet_hours") if wish == "drop" else Verdict("hold", "quiet_hours", until)


def _preferred(q: Question) -> CompiledSend | None:
    """The first entry that reaches this user; else the first."""
    sends = [send for _, send in q.entries]
    reaching = (send for send in sends if q.reaches(send.channel))
    return next(reaching, sends[0] if sends else None)
