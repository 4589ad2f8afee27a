"""What goes out before anybody has approved it: it pauses by itself a day later, unless somebody approves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.approvals import Approvals, Vote
from kairos.adapters.control.database import Control
from kairos.adapters.rules.store import last_good, open_rule_store
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.workflow.subjects import meaning_in
from kairos.usecases.control.life import Review
from kairos.usecases.control.rights import Actor

EMERGENCY_MS = 86_400_000
"""So long what was published in an emergency may run unapproved."""


class Emergency(msgspec.Struct, frozen=True):
    """Why a release goes out before anybody has approved it."""

    release: int
    reason: str


def foresee_pause(control: Control, release: int, activities: Sequence[str], actor: Actor, now: int) -> None:
    """Lets what is not approved pause by itself a day later, unless somebody approves before. Raises RuleStoreError."""
    states = ActivityStates(control)
    states.foresee(activities, "paused", actor.name, _reason(release), now + EMERGENCY_MS, now)


def settle(control: Control, now: int, failed: int | None = None) -> None:
    """Calls off the pauses to come of what is approved by now, or runs no more. `failed`: a release that was not
    written after all. Raises RuleStoreError."""
    states = ActivityStates(control)
    if states.foreseen(now):
        but = reasons(control, now, failed)
        states.call_off(but, "approval", "nothing that runs of it is unapproved", now)


def reasons(control: Control, now: int, failed: int | None = None) -> set[str]:
    """Of pauses for what runs, or is about to, and is not approved. Raises RuleStoreError."""
    approvals = Approvals(control)
    emergencies = approvals.emergencies()
    if not emergencies:
        return set()
    newest = last_good(open_rule_store(control.store))
    number, rules = (newest.number, newest.rules) if newest is not None else (0, RuleSet())
    submitted: dict[tuple[object, ...], list[Vote]] = {}
    for vote in approvals.of_submissions(emergencies):
        submitted.setdefault((vote.key, vote.requested_at), []).append(vote)
    found = set()
    for votes in submitted.values():
        release = emergencies[votes[0].number]
        runs = release > number or meaning_in(votes[0].subject, rules) == votes[0].meaning_hash
        if runs and release != failed and Review(votes, now).state != "approved":
            found.add(_reason(release))
    return found


def _reason(release: int) -> str:
    return f"release {release} was published in an emergency, and nobody has approved it"
