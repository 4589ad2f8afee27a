"""What comes in and goes out of a worker: deliveries, recalls; receipts, dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from kairos.adapters.decoding import UnreadableError, decoder
from kairos.adapters.delivery.ledger import Row
from kairos.adapters.delivery.mailbox import Parcel
from kairos.adapters.delivery.tables import delivery_key
from kairos.adapters.post import Post
from kairos.apps.delivery.outcome import DELIVERED
from kairos.engine.dead_letter import MOST_KEY, cut, dead_letter
from kairos.engine.effect import Delivery, Recall
from kairos.engine.event import RECEIPT
from kairos.engine.topics import RECEIPTS, letters_topic

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


_envelope, _keyed, _timed = decoder(_Envelope), decoder(_Keyed), decoder(_Timed)
_recall, _delivery = decoder(Recall), decoder(Delivery)


def read(parcel: Parcel, channel: str) -> Delivery | Recall:
    """Raises MalformedError."""
    try:
        recall = bytes(_envelope(parcel.value).recall)
        if recall:
            _keyed(recall)
            note: Delivery | Recall = _recall(recall)
        else:
            _timed(parcel.value)
            note = _delivery(parcel.value)
    except UnreadableError as error:
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
    key = None if parcel.key is None else cut(parcel.key, MOST_KEY)
    return Post(letters_topic(channel), key, value, parcel.timestamp)
