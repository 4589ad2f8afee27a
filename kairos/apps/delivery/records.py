"""What comes in and goes out of a worker: deliveries, recalls; receipts, dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from kairos.adapters.delivery_tables import delivery_key
from kairos.adapters.ledger import Row
from kairos.adapters.mailbox import Parcel, Post
from kairos.apps.delivery.outcome import DELIVERED
from kairos.engine.dead_letter import dead_letter
from kairos.engine.effect import Delivery, Recall
from kairos.engine.event import RECEIPT

DELIVERIES = "deliveries."
DEAD_LETTERS = "dead-letters."
RECEIPTS = "receipts"
LETTER_BYTES = 65_536
"""Longer values are cut in dead letters."""


class MalformedError(Exception):
    """The record is neither a delivery nor a recall of this channel."""


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=190)]
_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
_Attempt = Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
_Time = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class _Keyed(msgspec.Struct):
    """What the ledger's columns can take."""

    activity: _Name
    user_id: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
    occurrence: _Short
    attempt: _Attempt
    channel: _Short
    at: _Time


class _Timed(_Keyed):
    not_before: _Time
    send_before: _Time


class _Envelope(msgspec.Struct):
    recall: msgspec.Raw = msgspec.Raw()


def read(parcel: Parcel, channel: str) -> Delivery | Recall:
    """Raises MalformedError."""
    try:
        recall = msgspec.json.decode(parcel.value, type=_Envelope).recall
        if bytes(recall):
            msgspec.json.decode(recall, type=_Keyed)
            note: Delivery | Recall = msgspec.json.decode(recall, type=Recall)
        else:
            msgspec.json.decode(parcel.value, type=_Timed)
            note = msgspec.json.decode(parcel.value, type=Delivery)
    except ValueError as error:  # of msgspec, and of broken UTF-8
        raise MalformedError(f"neither a delivery nor a recall: {error}") from None
    if note.channel != channel:
        raise MalformedError(f"it belongs to the channel '{note.channel}'")
    return note


def key_of(note: Delivery | Recall) -> str:
    return delivery_key(note.activity, note.user_id, note.occurrence, note.attempt)


def receipt_of_row(row: Row, not_before: int) -> Post:
    """What a final row means to the job. The same row always gives the same receipt.

    `not_before`: the decision's time; a receipt is never older, whatever this machine's clock says.
    """
    status = DELIVERED if row.state == "sent" and row.reason == DELIVERED else row.state
    reason = None if row.state == "sent" else row.reason
    return receipt(row, status, max(row.settled_at or 0, not_before), reason)


def receipt(note: Delivery | Recall | Row, status: str, time: int, reason: str | None = None) -> Post:
    props: dict[str, Any] = {
        "activity": note.activity,
        "occurrence": note.occurrence,
        "attempt": note.attempt,
        "channel": note.channel,
        "status": status,
    }
    if reason is not None:
        props["reason"] = reason
    event: Mapping[str, Any] = {"type": RECEIPT, "user_id": note.user_id, "time": time, "props": props}
    return Post(RECEIPTS, note.user_id, msgspec.json.encode(event), time)


def letter(parcel: Parcel, channel: str, reason: str, message: str) -> Post:
    """The record as it came, and why it could not be sent."""
    value = dead_letter(reason, message, parcel.origin, parcel.timestamp, parcel.key, parcel.value, LETTER_BYTES)
    return Post(DEAD_LETTERS + channel, parcel.key, value, parcel.timestamp)
