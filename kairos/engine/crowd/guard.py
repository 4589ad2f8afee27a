"""Whether a snapshot may go before the job, or is more likely a mistake of whoever fed the warehouse."""

from __future__ import annotations

import msgspec

GUARDED_FROM = 100
"""Members from which on a change is measured: below that, a few people are a large share."""
MOST_REMOVED = 0.2
MOST_GROWTH = 0.5

LIVE = "live"


class Waivers(msgspec.Struct, frozen=True):
    """Which guards are waived for one build: that the crowd is empty, and how much it changes."""

    empty: bool = False
    change: bool = False


class Counts(msgspec.Struct, frozen=True):
    """Members before (0 where there is no snapshot yet) and now, and who is new or gone."""

    before: int
    size: int
    added: int
    removed: int


def refusal(counts: Counts, waivers: Waivers, *, stale: bool) -> str | None:
    """Why the snapshot may not go live, as a status; None: it may."""
    if stale:
        return "rejected: stale"
    if not counts.size:
        return None if waivers.empty else "rejected: empty"
    if counts.before >= GUARDED_FROM and not waivers.change:
        if counts.removed > MOST_REMOVED * counts.before:
            return "rejected: removed"
        if abs(counts.size - counts.before) > MOST_GROWTH * counts.before:
            return "rejected: size"
    return None


def is_stale(as_of: int, newest: int | None, refresh: int | None) -> bool:
    """Whether the newest event that was loaded is older than twice the refresh. All times in ms."""
    return refresh is not None and (newest is None or as_of - newest > 2 * refresh)
