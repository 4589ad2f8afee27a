"""One class for each pair of verdicts, and what caused it.

Classes, the first that fits: `removed added re_reasoned moved rerouted reworded same`.
"""

from __future__ import annotations

import msgspec

from kairos.engine.compare.displaced import Displaced, displaced_by
from kairos.engine.compare.side import Side
from kairos.engine.compare.verdict import Verdict
from kairos.engine.decision import Record

CHANGED = ("re_reasoned", "moved", "rerouted", "reworded")
"""Classes of a contact, or of a refusal, that both runs have, and not alike."""
CLASSES = ("same", "added", "removed", *CHANGED)

STAGES = (
    "state", "paused", "dates", "blacklist", "consent", "audience", "once", "control", "quiet_hours", "send_window",
    "unreachable", "cap", "missing_value", "outranked", "not_worth", "duplicate_address", "budget", "expired",
    "cancelled",
)  # fmt: skip
"""What a gate rejects with, in the order in which the gates are asked; then what can still follow."""


class Difference(msgspec.Struct, frozen=True, rename={"kind": "class"}):
    """`kind` is the class. `cause` names a gate's reason, or the part of the rules that differs."""

    kind: str
    cause: str
    displaced_by: list[Displaced]
    activity: str
    user_id: str
    occurrence: str
    a: Record | None
    b: Record | None

    @property
    def order(self) -> tuple[int, str, str, str, int]:
        record = self.b if self.a is None else self.a
        assert record is not None
        return (record.at, self.activity, self.user_id, self.occurrence, record.attempt or 1)


def classify(a: Verdict | None, b: Verdict | None, sides: tuple[Side, Side], reshaped: bool) -> str | None:
    """The class of a pair; None for a refusal that the other run knows nothing of: nobody was contacted in either."""
    in_a, in_b = a is not None and a.contacts, b is not None and b.contacts
    if in_a != in_b:
        return "removed" if in_a else "added"
    if a is None or b is None:
        return None
    first, second = a.record, b.record
    if (first.outcome, first.reason) != (second.outcome, second.reason):
        return "re_reasoned"
    if first.at != second.at:
        return "moved"
    if first.channel != second.channel:
        return "rerouted"
    return "reworded" if _said(first, sides[0], reshaped) != _said(second, sides[1], reshaped) else "same"


def difference(kind: str, a: Verdict | None, b: Verdict | None, sides: tuple[Side, Side], reshaped: bool) -> Difference:
    """The difference told in full; `kind` is what `classify` said."""
    verdict = a or b
    assert verdict is not None
    cause, refused = _cause(kind, a, b, sides, reshaped)
    displaced = [] if refused is None else displaced_by(cause, *refused, _other(sides, refused[1]))
    record = verdict.record
    return Difference(
        kind,
        cause,
        displaced,
        record.activity,
        record.user_id,
        record.occurrence,
        a.record if a else None,
        b.record if b else None,
    )


def _said(record: Record, side: Side, reshaped: bool) -> object:
    """All of a record that is compared besides time and channel."""
    text = side.text(record) if record.template is not None else ()
    value = None if record.value is msgspec.UNSET else record.value
    own = (record.template, record.variant, record.data, value, bool(record.degraded), text)
    return own if reshaped else (*own, record.steps)


Refused = tuple[Verdict, Side]


def _cause(
    kind: str, a: Verdict | None, b: Verdict | None, sides: tuple[Side, Side], reshaped: bool
) -> tuple[str, Refused | None]:
    """The cause, and the verdict with its side that the cause was read from, where a gate is the cause."""
    if a is None or b is None:
        return _absence(a or b, sides, reshaped), None
    if kind == "moved" and reshaped:
        return "trigger", None
    if kind in ("removed", "added", "re_reasoned", "moved"):
        return _first_gate((a, sides[0]), (b, sides[1]))
    activity = a.record.activity
    if a.record.variant != b.record.variant:
        return "variants", None
    if kind == "rerouted":
        return ("send" if sides[0].entries(activity) != sides[1].entries(activity) else "channel"), None
    if a.record.template != b.record.template or sides[0].text(a.record) != sides[1].text(b.record):
        return "template", None
    return "data", None


def _absence(verdict: Verdict | None, sides: tuple[Side, Side], reshaped: bool) -> str:
    """Why one run has nothing to set against this verdict."""
    assert verdict is not None
    activity = verdict.record.activity
    if not all(activity in side.rules.activities for side in sides):
        return "activity"
    if verdict.attempt > 1:
        return "fallback"
    return "trigger" if reshaped else "match"


def _first_gate(*sides: Refused) -> tuple[str, Refused | None]:
    """The gate whose verdict differs first: of what was said first, a hold, else of what was said in the end.

    Where both were said at the same gate (held until another time, say), that gate.
    """
    for said in (_said_first, _said_last):
        reasons = [said(verdict) for verdict, _ in sides]
        if reasons[0] != reasons[1] or said is _said_last:
            stage, place = min((_stage(reason), place) for place, reason in enumerate(reasons))
            if stage < len(STAGES):
                return reasons[place] or "", sides[place]
    held = next(((verdict.held_for, (verdict, side)) for verdict, side in sides if verdict.held_for), None)
    return held or ("time", None)


def _said_first(verdict: Verdict) -> str | None:
    """The reason for which it did not go at once; None: it went."""
    return verdict.held_for or _said_last(verdict)


def _said_last(verdict: Verdict) -> str | None:
    if verdict.contacts:
        return None
    record = verdict.record
    return "control" if record.outcome == "control" else record.reason or record.outcome


def _stage(reason: str | None) -> int:
    """The place of the gate that says so in the order in which gates are asked; None, all allowed, is last."""
    if reason is None:
        return len(STAGES)
    gate = reason.partition(":")[0]
    return STAGES.index(gate) if gate in STAGES else len(STAGES) - 1


def _other(sides: tuple[Side, Side], one: Side) -> Side:
    return sides[1] if one is sides[0] else sides[0]
