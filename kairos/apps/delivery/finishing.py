"""What follows from a final row: lists, dead letter, receipt. All of it may be done again, and is after a crash."""

from __future__ import annotations

from kairos.adapters.delivery.ledger import Row
from kairos.adapters.delivery.mailbox import Parcel
from kairos.adapters.metrics.declared import MESSAGES
from kairos.apps.delivery.outcome import OPTED_OUT
from kairos.apps.delivery.records import letter, receipt_of_row
from kairos.apps.delivery.tools import Tools
from kairos.engine.effect import Delivery

REASONS = ("rejected", "dead_address", OPTED_OUT, "retries_exhausted", "content")
"""Kinds of failure, as the reason of a failed row begins and its dead letter is called."""


async def finish(tools: Tools, row: Row, delivery: Delivery, parcel: Parcel, *, repeated: bool) -> None:
    """Returns when everything is written for good. `repeated`: for a record that is read again."""
    kind, _, message = (row.reason or "").partition(": ")
    outcome, reason = "repeated" if repeated else row.state, kind if row.state == "failed" and not repeated else ""
    tools.metrics.add(MESSAGES, channel=tools.channel, outcome=outcome, reason=reason)
    if kind == OPTED_OUT:
        await tools.lists.opted_out(delivery.user_id, delivery.channel)
    if row.state == "failed":
        if kind == "dead_address" and delivery.address is not None:
            await tools.lists.dead_address(delivery.user_id, delivery.address)
        await tools.posts.do(letter(parcel, tools.channel, kind, message))
    await tools.posts.do(receipt_of_row(row, delivery.at))
