"""What becomes of a row when the provider has been called. Pure."""

from __future__ import annotations

from random import Random

import msgspec

from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Misconfigured,
    Outcome,
    Refused,
    Rejected,
    Retry,
    Unknown,
)
from kairos.adapters.delivery.ledger import Call, Row
from kairos.adapters.delivery.policy import Policy

DELIVERED = "delivered"
"""Reason of a `sent` row whose provider said at once that it has reached the user."""

MOST_TEXT = 1_000
MOST_ID = 190

NAMES = {
    Accepted: "accepted",
    Retry: "retry",
    Rejected: "rejected",
    DeadAddress: "dead_address",
    Refused: "refused",
    Misconfigured: "misconfigured",
    Unknown: "unknown",
}


OPTED_OUT = "opted_out"
"""Kind of failure that is written into the lists even where the message itself may have been taken."""


class After(msgspec.Struct, frozen=True):
    """`row` and `call` as they are to be written. `again_at`: the next call is not before this; null where the row is
    final, or where the channel has to be mended first (`mend` says what is wrong)."""

    row: Row
    call: Call
    again_at: int | None = None
    mend: str | None = None


def after_call(
    row: Row, call: Call, outcome: Outcome, *, maybe_taken: bool, tries: int, policy: Policy, now: int, chance: Random
) -> After:
    """`maybe_taken`: an earlier call of this row has no known outcome, so it is never "certainly not sent" again.
    `tries`: calls of this row that came to nothing, this one included. The reason of a failed row begins with its kind:
    "rejected: ...", as a dead letter names it. A receiver that took the earlier call may refuse the later one because
    of that (409), so no answer to it makes the row failed.
    """
    said = None if isinstance(outcome, Accepted) else storable(outcome.reason, MOST_TEXT)
    done = msgspec.structs.replace(call, ended_at=now, outcome=NAMES[type(outcome)], reason=said)
    if isinstance(outcome, Accepted):
        provider_id = storable(outcome.provider_id, MOST_ID) if outcome.provider_id else None
        reason = DELIVERED if outcome.delivered else None
        return After(_final(row, "sent", reason, now, provider_id), done)
    failed = "unknown" if maybe_taken else "failed"
    if isinstance(outcome, Rejected):
        return After(_final(row, failed, f"rejected: {said}", now), done)
    if isinstance(outcome, DeadAddress):
        kind = OPTED_OUT if outcome.opted_out else "dead_address"
        return After(_final(row, failed, f"{kind}: {said}", now), done)
    if isinstance(outcome, Misconfigured):
        return After(still_open(row, maybe_taken, said, now), done, mend=said)
    if isinstance(outcome, Unknown) and not policy.resend:
        return After(_final(row, "unknown", said, now), done)
    again_at = now + policy.pause(tries, outcome.after if isinstance(outcome, Retry) else None, chance)
    maybe_taken = maybe_taken or isinstance(outcome, Unknown)
    if not policy.exhausted(tries, row.reserved_at, again_at):
        return After(still_open(row, maybe_taken, said, now), done, again_at)
    if maybe_taken:
        return After(_final(row, "unknown", said, now), done)
    kind = "rejected" if isinstance(outcome, Refused) else "retries_exhausted"
    return After(_final(row, "failed", f"{kind}: {said}", now), done)


def storable(text: str, most: int) -> str:
    """Whatever a provider says: no longer than a column takes, and without halves of characters."""
    return text[:most].encode("utf-8", "replace").decode()


def not_called(row: Row, call: Call, *, maybe_taken: bool, reason: str, now: int) -> After:
    """The row of a call that was reserved and never made."""
    done = msgspec.structs.replace(call, ended_at=now, outcome="retry", reason=reason)
    return After(still_open(row, maybe_taken, reason, now), done)


def still_open(row: Row, maybe_taken: bool, reason: str | None, now: int) -> Row:
    """The row, free for the next call: "retry" where it was certainly not taken so far, "reserved" where nobody
    knows."""
    return msgspec.structs.replace(row, state="reserved" if maybe_taken else "retry", reason=reason, lease_until=now)


def _final(row: Row, state: str, reason: str | None, now: int, provider_id: str | None = None) -> Row:
    return msgspec.structs.replace(
        row, state=state, reason=reason, settled_at=now, lease_until=now, provider_id=provider_id
    )
