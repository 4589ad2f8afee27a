"""Records of the topics `decisions`, `receipts`, `dead-letters...` and `crowds` as facts."""

from __future__ import annotations

import msgspec

from kairos.adapters.decoding import UnreadableError, decoder
from kairos.engine.alarm.fact import Fact, of_decision, of_receipt
from kairos.engine.event import RECEIPT
from kairos.engine.topics import CROWDS, DECISIONS, RECEIPTS, channel_of_letters, holds_letters


class _Decision(msgspec.Struct):
    activity: str
    version: str
    at: int
    outcome: str
    reason: str | None = None
    channel: str | None = None
    attempt: int = 1
    shadow: bool = False
    after_end: bool = False


class _Told(msgspec.Struct):
    activity: str = ""
    occurrence: str = ""
    attempt: int = 1
    status: str = ""
    channel: str | None = None
    reason: str | None = None


class _Receipt(msgspec.Struct):
    type: str
    time: int
    props: _Told
    user_id: str = ""


class _Letter(msgspec.Struct):
    ts: int


class _Snapshot(msgspec.Struct):
    crowd: str
    at: int


MOST_SENT = 200_000
"""Some tens of megabytes. A report that comes after so many other messages is taken for one of its own."""

_decision, _receipt, _letter, _snapshot = decoder(_Decision), decoder(_Receipt), decoder(_Letter), decoder(_Snapshot)


class Facts:
    """Of one record after the other.

    A message that its provider has taken is `sent`, and may be `delivered` by a later report; or it is `delivered` at
    once, where taking is delivering. Each counts once.
    """

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str, str, int], None] = {}
        """Of which a report may come: the newest MOST_SENT, the oldest first."""

    def of(self, topic: str, value: bytes) -> list[Fact]:
        """`topic`: without its prefix. Nothing, where it is a heartbeat, or none of ours."""
        try:
            if topic == DECISIONS:
                return _of_decision(_decision(value))
            if topic == RECEIPTS:
                return self._of_receipt(_receipt(value))
            if holds_letters(topic):
                return [Fact(_letter(value).ts, "letter", "", channel_of_letters(topic) or "")]
            if topic == CROWDS:
                snapshot = _snapshot(value)
                return [Fact(snapshot.at, "snapshot", snapshot.crowd)]
        except UnreadableError:
            pass
        return []

    def _of_receipt(self, receipt: _Receipt) -> list[Fact]:
        told = receipt.props
        if receipt.type != RECEIPT:
            return []
        message = (receipt.user_id, told.activity, told.occurrence, told.attempt)
        if told.status == "sent":
            self._sent[message] = None
            if len(self._sent) > MOST_SENT:
                del self._sent[next(iter(self._sent))]
        if told.status == "delivered" and message in self._sent:
            del self._sent[message]
            return []
        words = of_receipt(told.status, told.reason)
        return [Fact(receipt.time, what, told.activity, told.channel or "") for what in words]


def _of_decision(record: _Decision) -> list[Fact]:
    what = of_decision(record.outcome, record.reason, record.attempt)
    if what is None or record.shadow or record.after_end:
        return []
    return [Fact(record.at, what, record.activity, record.channel or "", 1, record.version)]
