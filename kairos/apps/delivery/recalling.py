"""A recall: the attempt does not go if it has not gone yet, and the job hears which of the two it was."""

from __future__ import annotations

from kairos.adapters.delivery.ledger import Change, Row
from kairos.adapters.delivery.tables import FINAL
from kairos.adapters.metrics.declared import RECALLS
from kairos.apps.delivery.records import receipt, receipt_of_row
from kairos.apps.delivery.tools import Tools
from kairos.apps.delivery.verdict import End, ended
from kairos.engine.effect import Delivery, Recall

GONE = frozenset({"sent", "unknown", "reserved"})
"""States of a row whose message may have reached somebody."""


async def recall(tools: Tools, note: Recall, key: str) -> None:
    """Keeps an attempt from going, if it has not gone yet, and tells the job which of the two it was.

    Called only after the delivery of the same key, if this worker had it, has ended.
    """
    clock = tools.clock_at(note.at)
    row = await _closed(tools, note, key, clock.now())
    status = "too_late" if row.state in GONE else "recalled"
    tools.metrics.add(RECALLS, channel=tools.channel, outcome=status)
    if row.state == "recalled":
        await tools.posts.do(receipt_of_row(row, note.at))
    else:
        await tools.posts.do(receipt(note, status, max(clock.now(), note.at)))


async def _closed(tools: Tools, note: Recall, key: str, now: int) -> Row:
    """The row after a recall: no call can begin from it. Where one may have been made already, it stays as it is."""
    row: Row | None = None
    while True:
        wanted = ended(row, _as_delivery(note), key, tools.worker, now, End("recalled"))
        present = await tools.ledger.do(Change(row, wanted))
        if present is not None and (present.state in FINAL or present.state == "reserved"):
            return present
        row = present


def _as_delivery(note: Recall) -> Delivery:
    """A delivery made of the recall alone, for the row that keeps the real one from being sent if it comes later."""
    return Delivery(
        note.activity, "", note.user_id, note.occurrence, note.attempt, note.channel, None, None, note.at, 0, 0, {}
    )
