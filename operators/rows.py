"""The rows that travel between operators, and how they are typed."""

from __future__ import annotations

import msgspec
from pyflink.common import Row, Types

from kairos.engine.effect import Candidate

BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())

RECORD = Types.ROW_NAMED(["k", "v", "ts", "origin"], [Types.STRING(), BYTES, Types.LONG(), Types.STRING()])
"""Keyed by `k`. `v`: the record's value. `ts`: its timestamp, epoch ms. `origin`: topic/partition@offset or line N."""

KEYED_RECORD = Types.ROW_NAMED(["k", "record"], [Types.STRING(), RECORD])
"""As PyFlink hands it to a keyed function: it gets the second field."""

REQUEST = Types.ROW_NAMED(["k", "request"], [Types.STRING(), Types.ROW_NAMED(["v", "at"], [BYTES, Types.LONG()])])
"""Keyed by activity. `v`: a Request in msgpack. `at`: when it is due, epoch ms."""

OUTPUT = Types.ROW_NAMED(["topic", "k", "v", "ts"], [Types.STRING(), Types.STRING(), BYTES, Types.LONG()])
"""One record for one topic. `k` may be null."""

REQUESTS = "requests"
"""Not a topic: rows on their way from evaluate to dispatch, keyed by activity."""

DECISIONS = "decisions"
DEAD_LETTERS = "dead-letters"
RECEIPTS = "receipts"


class Request(msgspec.Struct):
    """What dispatch is asked for: a unit of the activity's budget for a candidate, or (None) to take one back."""

    at: int
    user_id: str
    occurrence: str
    candidate: Candidate | None

    @property
    def order(self) -> tuple[int, bool, str, str]:
        """At one instant units are spent first: what receipts give back is free from then on."""
        return (self.at, self.candidate is None, self.user_id, self.occurrence)


def output(topic: str, key: str | None, value: bytes, timestamp: int) -> Row:
    return Row(topic, key, value, timestamp)


def deliveries(channel: str) -> str:
    return f"deliveries.{channel}"
