"""What the engine wants done: the only thing that leaves it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from kairos.engine.decision import Record
from kairos.engine.event import Event


class Delivery(msgspec.Struct, omit_defaults=True):
    """One attempt, as it goes to `deliveries.<channel>`; (activity, user_id, occurrence, attempt) is its key.

    `address` is null for channels that need none. `values` are the template's variables, resolved. Times are epoch ms:
    nothing is sent before `not_before` or after `send_before`. `cut`: what ends it earlier than the activity asks for;
    then it is handed back to be asked about again, else it has expired.
    """

    activity: str
    version: str
    user_id: str
    occurrence: str
    attempt: int
    channel: str
    template: str | None
    address: str | None
    at: int
    not_before: int
    send_before: int
    values: dict[str, Any]
    variant: str | None = None
    cut: Literal["quiet_hours"] | None = None


class Candidate(msgspec.Struct):
    """A send that passed every gate but the budget: dispatch decides that one, over all users."""

    record: Record
    delivery: Delivery
    priority: int
    budget: int | None


class Late(msgspec.Struct):
    """An event older than what was already applied for this user: in the metrics, in no pattern."""

    event: Event
    applied_until: int


class Recall(msgspec.Struct):
    """A late event undid this attempt, or its goal has overtaken it: do not send it if it has not gone yet.

    The worker answers with the receipt `recalled` or `too_late`.
    """

    activity: str
    user_id: str
    occurrence: str
    attempt: int
    channel: str
    at: int


class Refund(msgspec.Struct):
    """No attempt of this occurrence reached anyone: its unit of the activity's budget is free again."""

    activity: str
    user_id: str
    occurrence: str
    at: int


Effect = Record | Candidate | Late | Recall | Refund
