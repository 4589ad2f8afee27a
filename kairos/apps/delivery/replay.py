"""Dead letters sent again: an event to where it came from, a delivery whose row is opened anew for it."""

from __future__ import annotations

import msgspec

from kairos.adapters.dead_letters import Found, NotReplayableError, delivery_of, original, topic_of
from kairos.adapters.ledger import Change, Ledger
from kairos.adapters.mailbox import Post
from kairos.apps.delivery.records import key_of
from kairos.apps.delivery.sending import REOPENED


class Wanted(msgspec.Struct, frozen=True):
    """Which letters; null: any."""

    places: frozenset[str] = frozenset()
    channel: str | None = None
    reason: str | None = None
    activity: str | None = None
    user: str | None = None

    def __contains__(self, found: Found) -> bool:
        return (
            (not self.places or found.place in self.places)
            and self.channel in (None, found.channel)
            and self.reason in (None, found.letter.reason)
            and self.activity in (None, found.activity)
            and self.user in (None, found.user)
        )

    @property
    def anything(self) -> bool:
        return self == Wanted()


def replay(found: Found, ledger: Ledger, now: int) -> Post:
    """The record to be written, with its whole topic. For a delivery its row is open from here on: whoever takes the
    record calls the provider again. Doing all of it twice is harmless.

    Raises NotReplayableError; LedgerAwayError.
    """
    topic, value = topic_of(found.letter), original(found.letter)
    if found.channel is not None and found.letter.reason != "malformed":
        _reopen(found, ledger, now)
    return Post(topic, found.letter.key, value, found.letter.ts)


def _reopen(found: Found, ledger: Ledger, now: int) -> None:
    delivery = delivery_of(found.letter)
    if now > delivery.send_before:
        raise NotReplayableError("its time is over: it should have gone before `send_before`")
    row = ledger.find(key_of(delivery))
    if row is None:
        raise NotReplayableError("the ledger has no row of it; is this the database of the worker that failed?")
    if row.state == "retry":
        return  # opened before, or by somebody else
    if row.state != "failed":
        raise NotReplayableError(f"only what has failed can be sent again, and this is '{row.state}' in the ledger")
    opened = msgspec.structs.replace(
        row, state="retry", reason=REOPENED, settled_at=None, reserved_at=now, lease_until=now
    )
    present = ledger.apply([Change(row, opened)])[0]
    if present != opened:
        raise NotReplayableError("a worker has changed its row at this very moment; look again")
