"""Gate 6, after quiet hours: what an activity says of the hours and days to send in."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict
from kairos.engine.policy.send_window import opens_at


def send_window(q: Question) -> Verdict | None:
    """Of all channels: it is no matter of waking somebody."""
    window = q.activity.spec.limits.send_window
    opens = None if window is None else opens_at(window, q.now, q.zone)
    return None if opens is None else Verdict("hold", "send_window", opens)
