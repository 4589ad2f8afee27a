"""What the engine wants done: the only thing that leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from kairos.engine.coupon.pools import Claim, Return
from kairos.engine.decision import Record
from kairos.engine.event import Event

Cut = Literal["quiet_hours", "send_window"]
"""What of the user's own clock ends the time in which a message may go."""


class Delivery(msgspec.Struct, omit_defaults=True):
    """One attempt, as it goes to `deliveries.<channel>`; (activity, user_id, occurrence, attempt) is its key.

    `address` is null for channels that need none. `values` are the template's variables, resolved. Times are epoch ms:
    nothing is sent before `not_before` or after `send_before`. `cut`: what ends it earlier than the activity asks for;
    then it is handed back to be asked about again, else it has expired. `zone`: the reader's, for local time in the
    text; "" in a record of before there was one. `fence`: which start of which engine has decided it,
    `<lease>/<generation>`; "" where no lease is kept. `topic`: what its reader must not have said no to by the time it
    is sent. `service`: it is no marketing, which is what one leaves. `trace`: the id of the trace that this message
    goes on with (engine/trace.py); "" in a record of before there was one.
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
    cut: Cut | None = None
    zone: str = ""
    fence: str = ""
    topic: str | None = None
    service: bool = False
    trace: str = ""


class Candidate(msgspec.Struct):
    """A send that passed every gate but the budget: dispatch decides that one, over all users.

    `run`: the slot of a schedule, in which one address is written to once, whoever shares it; "" elsewhere. `claims`:
    the codes that it needs. `budget`: the limit, of which it uses up `units`; `shared`: the budget's name, where it is
    not the activity's own.
    """

    record: Record
    delivery: Delivery
    priority: int
    budget: int | None
    run: str = ""
    claims: list[Claim] = []
    units: int = 1
    shared: str = ""

    def with_codes(self, codes: Mapping[str, str]) -> Candidate:
        """The same message with its codes, by name in `data`."""
        record, delivery = self.record, self.delivery
        record = msgspec.structs.replace(record, data={**record.data, **codes})
        delivery = msgspec.structs.replace(delivery, values={**delivery.values, **codes})
        return msgspec.structs.replace(self, record=record, delivery=delivery)


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
    """No attempt of this occurrence reached anyone: its codes are free again, and its `units` of the activity's budget,
    or of one that it shares."""

    activity: str
    user_id: str
    occurrence: str
    at: int
    codes: list[Return] = []
    units: int = 1
    shared: str = ""


Effect = Record | Candidate | Delivery | Late | Recall | Refund
Result = Effect | Event
"""What comes of something that happens to a case. An event is what Kairos did itself, of this user and this instant."""
