"""Gate 8: frequency caps (`caps` in policy.yaml). The first entry that is left after it is the channel."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress
from kairos.engine.policy.caps import Full, Slot, blocking
from kairos.engine.profile.merged import merged_in
from kairos.engine.rule.journey import slot_of
from kairos.engine.user.state import Reservation


def caps(q: Question) -> Verdict | None:
    """Entries whose channel is full drop out; with none left the first cap in the way is named."""
    names = q.activity.spec.limits.caps
    if not names or q.white:
        return None
    rules = [q.program.policy.caps[name] for name in names if name in q.program.policy.caps]
    taken: list[Slot] = [*_ledger(q), *merged_in(q.profile).sends]
    slot = slot_of(q.case.activity, q.case.occurrence)
    full = [blocking(rules, send.channel, slot, taken, q.now, q.zone) for _, send in q.entries]
    free = [entry for entry, obstacles in zip(q.entries, full, strict=True) if not obstacles]
    if free:
        q.entries = free
        return None
    return _wait_or_drop(q, full)


def _ledger(q: Question) -> list[Reservation]:
    """The slots that are taken. For a shadow: those of other activities, and its own that would have been."""
    own, live = q.state.reservations, q.instant.live
    if live is None:
        return own
    mine = q.case.activity
    others = (taken for taken in live.state.reservations if taken.activity != mine)
    return [*others, *(taken for taken in own if taken.activity == mine)]


def _wait_or_drop(q: Question, full: list[list[Full]]) -> Verdict:
    """`full`: by entry, what is in its way. The preferred entry's obstacles say whether waiting is wanted."""
    obstacles = full[0]
    patience = [o.cap.retry_for for o in obstacles]
    final = next((o for o, p in zip(obstacles, patience, strict=True) if p is None), None)
    if final is not None:
        return suppress(f"cap:{final.cap.name}")
    reason = f"cap:{obstacles[0].cap.name}"
    give_up = q.case.give_up or q.now + min(p for p in patience if p is not None)
    if q.now >= give_up:
        return suppress(reason)
    free_at = min(max(obstacle.free_at for obstacle in of_entry) for of_entry in full)
    return Verdict("hold", reason, min(free_at, give_up), give_up)
