"""The thirteen built-in alarms: what each counts, and by which rule it is judged."""

from __future__ import annotations

from typing import Literal, NamedTuple

from kairos.engine.alarm.fact import What

Rule = Literal["count", "share", "stock", "age"]
Side = Literal["low", "high", "both"]
Clock = Literal["decisions", "receipts"]

BOTH, ACTIVITY, CHANNEL, ALL = ("activity", "channel"), ("activity",), ("channel",), ()
_SENDS: frozenset[What] = frozenset({"send", "again"})
_SUPPRESSED: frozenset[What] = frozenset({"suppress", "suppress.cap"})
_CAPPED: frozenset[What] = frozenset({"suppress.cap", "hold.cap"})
_TRIED: frozenset[What] = frozenset({"sent", "failed", "unknown"})


class Kind(NamedTuple):
    """`counted`: facts that are counted; `of`: of a share, those that it is a share of. `by`: what has a series of its
    own. `fast`: judged by the minute as well. `rare`: a series that has not begun has had none. `clock`: what says that
    an hour is over: the watermark, or the machine. `label`: what a subject is. `limit`: of an age, ms; of a stock, for
    how long (ms) what is left has to last.
    """

    rule: Rule
    about: str
    counted: frozenset[What] = frozenset()
    of: frozenset[What] = frozenset()
    side: Side = "high"
    by: tuple[str, ...] = ACTIVITY
    fast: bool = False
    rare: bool = False
    clock: Clock = "decisions"
    label: str = "activity"
    limit: int = 0


KINDS: dict[str, Kind] = {
    "SendsStopped": Kind("count", "messages", _SENDS, side="low", by=BOTH, fast=True),
    "SuppressShare": Kind("share", "matches suppressed", _SUPPRESSED, _SUPPRESSED | {"send"}),
    "DeliveryFailing": Kind("share", "messages failed", frozenset({"failed"}), _TRIED, by=BOTH, fast=True,
                            clock="receipts"),
    "BudgetBurn": Kind("stock", "sends left in the budget", frozenset({"send"}), limit=86_400_000),
    "CapHit": Kind("share", "matches stopped by a cap", _CAPPED, _CAPPED | {"send", "suppress"}),
    "WatermarkAge": Kind("age", "the watermark", by=ALL, clock="receipts", limit=300_000),
    "DeadLetters": Kind("count", "dead letters", frozenset({"letter"}), by=CHANNEL, rare=True, clock="receipts"),
    "Regret": Kind("share", "messages regretted", frozenset({"regret"}), frozenset({"send", "again"})),
    "ControlShare": Kind("share", "users in the control group", frozenset({"control"}),
                         frozenset({"send", "control"}), side="both"),
    "CrowdStale": Kind("age", "the newest snapshot", frozenset({"snapshot"}), clock="receipts", label="crowd"),
    "Unsubscribes": Kind("share", "messages answered by leaving", frozenset({"unsubscribe"}), _TRIED, by=ALL,
                         clock="receipts"),
    "Unknown": Kind("share", "messages of which nobody knows whether they went", frozenset({"unknown"}), _TRIED,
                    by=BOTH, fast=True, clock="receipts"),
    "LowCoupons": Kind("stock", "codes left", frozenset({"send", "left"}), limit=86_400_000, label="pool"),
}  # fmt: skip


def runbook(kind: str) -> str:
    """Where it is said what to do, from the top of the project."""
    return f"docs/runbooks/{kind}.md"
