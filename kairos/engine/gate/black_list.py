"""Gate 2: nobody on the black list, whatever the white list says."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress
from kairos.engine.profile.consent import is_listed


def black_list(q: Question) -> Verdict | None:
    """What a profile says of it counts, whoever else the policy names: nobody has to remember to ask for a no."""
    is_black = q.listed("black") or is_listed(q.profile, "black")
    return suppress("blacklist") if is_black else None
