"""What may be done with a delivery at a moment, given its row in the ledger. Pure."""

from __future__ import annotations

import msgspec

from kairos.adapters.delivery.ledger import Call, Row
from kairos.adapters.delivery.tables import FINAL
from kairos.engine.effect import Delivery


class Known(msgspec.Struct, frozen=True):
    """It ended earlier: only its receipt is still due."""


class Wait(msgspec.Struct, frozen=True):
    """Nothing may be done before `until`. `other`: because another worker may be calling; its row may change sooner."""

    until: int
    other: bool = False


class End(msgspec.Struct, frozen=True):
    """It ends here, without a call."""

    state: str
    reason: str | None = None


class Go(msgspec.Struct, frozen=True):
    """The provider may be called, once this is reserved."""


Verdict = Known | Wait | End | Go


def verdict(
    row: Row | None,
    delivery: Delivery,
    worker: str,
    now: int,
    earliest: int,
    *,
    recalled: bool,
    resend: bool,
    stopped: str | None = None,
) -> Verdict:
    """`earliest`: not before this, besides the delivery's own `not_before`. `stopped`: how the switch of its activity
    stands, if it is not live.

    A row of this very worker is not under way: it has one delivery of a key in hand at a time, and asks between calls.
    """
    if row is not None and row.state in FINAL:
        return Known()
    maybe_taken = row is not None and row.state == "reserved"
    if row is not None and maybe_taken:
        if row.worker != worker and now < row.lease_until:
            return Wait(row.lease_until, other=True)
        if not resend:
            return End("unknown", f"no outcome is known of call {row.calls} by {row.worker}")
    if recalled or stopped is not None:
        after = f"{stopped or 'recalled'} after a call without a known outcome"
        return End("unknown", after) if maybe_taken else End("recalled", stopped)
    if now > delivery.send_before:
        return _too_late(delivery, maybe_taken=maybe_taken)
    due = max(delivery.not_before, earliest)
    return Wait(min(due, delivery.send_before + 1)) if now < due else Go()


def _too_late(delivery: Delivery, *, maybe_taken: bool) -> End:
    if maybe_taken:
        return End("unknown", "its time was over after a call without a known outcome")
    return End("released", delivery.cut) if delivery.cut is not None else End("expired")


def reservation(row: Row | None, delivery: Delivery, key: str, worker: str, now: int, lease: int) -> tuple[Row, Call]:
    """The row that allows a call, and the call itself. `lease`: ms from now."""
    if row is None:
        row = _first(delivery, key, worker, now)
    reserved = msgspec.structs.replace(
        row, state="reserved", worker=worker, lease_until=now + lease, calls=row.calls + 1, settled_at=None, reason=None
    )
    return reserved, Call(key, reserved.calls, worker, now)


def ended(row: Row | None, delivery: Delivery, key: str, worker: str, now: int, end: End) -> Row:
    """The row of a delivery that ends without a call."""
    known = row if row is not None else _first(delivery, key, worker, now)
    return msgspec.structs.replace(
        known, state=end.state, worker=worker, lease_until=now, settled_at=now, reason=end.reason
    )


def _first(delivery: Delivery, key: str, worker: str, now: int) -> Row:
    return Row(
        key,
        delivery.activity,
        delivery.user_id,
        delivery.occurrence,
        delivery.attempt,
        delivery.channel,
        "retry",
        worker,
        now,
        0,
        now,
    )
