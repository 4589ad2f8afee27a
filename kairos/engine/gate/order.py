"""The order of the gates: the first that does not allow is the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kairos.engine.gate.audience import audience
from kairos.engine.gate.black_list import black_list
from kairos.engine.gate.caps import caps
from kairos.engine.gate.consent import consent
from kairos.engine.gate.content import content
from kairos.engine.gate.control_group import control_group
from kairos.engine.gate.once import once
from kairos.engine.gate.question import Gate, Question, Verdict
from kairos.engine.gate.quiet_hours import quiet_hours
from kairos.engine.gate.reach import reach
from kairos.engine.gate.send_window import send_window
from kairos.engine.gate.slot import slot
from kairos.engine.gate.state_and_dates import state_and_dates
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.model import Activity

GATES: Mapping[str, Gate] = {
    "slot": slot,
    "state_and_dates": state_and_dates,
    "black_list": black_list,
    "consent": consent,
    "audience": audience,
    "once": once,
    "control_group": control_group,
    "quiet_hours": quiet_hours,
    "send_window": send_window,
    "reach": reach,
    "caps": caps,
    "content": content,
}
"""All but the budget, which needs to know of every user's sends (`budget.py`)."""

WATCH_GATES: Mapping[str, Gate] = {name: GATES[name] for name in ("slot", "state_and_dates", "audience", "once")}
"""An activity that contacts nobody is asked no more than these."""


_BEFORE_SENDING = tuple(GATES)[: tuple(GATES).index("quiet_hours")]

ENTRY_GATES: Mapping[str, Gate] = {name: GATES[name] for name in _BEFORE_SENDING if name != "once"}
"""Of a journey's entry; whether somebody comes in again, `reenter` says before any gate is asked."""

MESSAGE_GATES: Mapping[str, Gate] = {
    name: gate for name, gate in GATES.items() if name not in ("audience", "once", "control_group")
}
"""Of a journey's message: who it is for was asked at the entry."""

ONLY_WHERE_SAID: Mapping[str, Callable[[Activity], object]] = {
    "consent": lambda activity: activity.topic,
    "slot": lambda activity: activity.schedule,
    "send_window": lambda activity: activity.limits.send_window,
}
"""Gates that most activities say nothing of: of these they are not asked."""


def gates_of(activity: CompiledActivity) -> Mapping[str, Gate]:
    """Those that are asked about a case of this activity, in order."""
    if activity.spec.part:
        return ENTRY_GATES if activity.spec.part == "entry" else MESSAGE_GATES
    return WATCH_GATES if activity.is_watch else GATES


def ask(q: Question, seen: Callable[[str, Verdict | None], None] | None = None) -> Verdict | None:
    """The first verdict that does not allow; None: all allow. `seen` is told of each gate asked, for `explain`."""
    for name, gate in gates_of(q.activity).items():
        said = ONLY_WHERE_SAID.get(name)
        if said is not None and said(q.activity.spec) is None:
            continue
        verdict = gate(q)
        if seen is not None:
            seen(name, verdict)
        if verdict is not None:
            return verdict
    return None
