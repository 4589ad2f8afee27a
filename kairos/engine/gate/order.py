"""The order of the gates: the first that does not allow is the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kairos.engine.gate.audience import audience
from kairos.engine.gate.black_list import black_list
from kairos.engine.gate.caps import caps
from kairos.engine.gate.content import content
from kairos.engine.gate.control_group import control_group
from kairos.engine.gate.once import once
from kairos.engine.gate.question import Gate, Question, Verdict
from kairos.engine.gate.quiet_hours import quiet_hours
from kairos.engine.gate.reach import reach
from kairos.engine.gate.state_and_dates import state_and_dates

GATES: Mapping[str, Gate] = {
    "state_and_dates": state_and_dates,
    "black_list": black_list,
    "audience": audience,
    "once": once,
    "control_group": control_group,
    "quiet_hours": quiet_hours,
    "reach": reach,
    "caps": caps,
    "content": content,
}
"""All but the budget, which needs to know of every user's sends (`budget.py`)."""

WATCH_GATES: Mapping[str, Gate] = {name: GATES[name] for name in ("state_and_dates", "audience", "once")}
"""An activity that contacts nobody is asked no more than these."""


def ask(q: Question, seen: Callable[[str, Verdict | None], None] | None = None) -> Verdict | None:
    """The first verdict that does not allow; None: all allow. `seen` is told of each gate asked, for `explain`."""
    for name, gate in (WATCH_GATES if q.activity.is_watch else GATES).items():
        verdict = gate(q)
        if seen is not None:
            seen(name, verdict)
        if verdict is not None:
            return verdict
    return None
