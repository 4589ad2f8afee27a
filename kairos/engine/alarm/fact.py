"""What alarms count: a decision, a receipt, a dead letter, a snapshot, reduced to one word."""

from __future__ import annotations

from typing import Literal, NamedTuple

What = Literal[
    "send", "again", "suppress", "suppress.cap", "suppress.paused", "hold", "hold.cap", "control", "regret",
    "sent", "failed", "unknown", "unsubscribe", "letter", "snapshot", "left",
]  # fmt: skip
"""`again`: a send that is a fallback. `.cap`: because of a frequency cap. `suppress.paused`: the activity is paused, or
outside its dates. `letter`: a dead letter. `snapshot`: a kept crowd was built. `left`: so many codes are left."""

PAUSED = frozenset({"paused", "state", "dates"})
OPTED_OUT = "opted_out"
_PLAIN = frozenset({"send", "suppress", "hold", "control", "regret"})
_RECEIPTS = frozenset({"sent", "delivered", "failed", "unknown"})


class Fact(NamedTuple):
    """`n` of them at `at` (epoch ms). `subject`: the activity, crowd or pool; "": none. `version`: of the activity."""

    at: int
    what: What
    subject: str = ""
    channel: str = ""
    n: int = 1
    version: str = ""


def of_decision(outcome: str, reason: str | None, attempt: int) -> What | None:
    """None: it says nothing of how things go (a goal, a match of a watch)."""
    if outcome not in _PLAIN:
        return None
    if outcome == "send" and attempt > 1:
        return "again"
    if reason is not None and reason.startswith("cap:"):
        return "suppress.cap" if outcome == "suppress" else "hold.cap"
    if outcome == "suppress" and reason in PAUSED:
        return "suppress.paused"
    return outcome  # type: ignore[return-value]


def of_receipt(status: str, reason: str | None) -> tuple[What, ...]:
    """A failure because the user has opted out is an unsubscription as well. `delivered`: nobody has said `sent`."""
    if status not in _RECEIPTS:
        return ()
    what: What = "sent" if status == "delivered" else status  # type: ignore[assignment]
    return (what, "unsubscribe") if reason is not None and reason.startswith(OPTED_OUT) else (what,)
