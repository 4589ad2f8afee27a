"""The rows that travel between operators, and how they are typed."""

from __future__ import annotations

from pyflink.common import Row, Types

BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())

RECORD = Types.ROW_NAMED(["k", "v", "ts", "origin"], [Types.STRING(), BYTES, Types.LONG(), Types.STRING()])
"""Keyed by `k`. `v`: the record's value. `ts`: its timestamp, epoch ms. `origin`: topic/partition@offset or line N."""

KEYED_RECORD = Types.ROW_NAMED(["k", "record"], [Types.STRING(), RECORD])
"""As PyFlink hands it to a keyed function: it gets the second field."""

REQUEST = Types.ROW_NAMED(["k", "request"], [Types.STRING(), Types.ROW_NAMED(["v", "at"], [BYTES, Types.LONG()])])
"""Keyed by activity, or item. `v`: a Request, or a word about the item, in msgpack. `at`: when it is due, epoch ms."""

OUTPUT = Types.ROW_NAMED(["topic", "k", "v", "ts"], [Types.STRING(), Types.STRING(), BYTES, Types.LONG()])
"""One record for one topic. `k` may be null."""

REQUESTS = "requests"
"""Not a topic: rows on their way from evaluate to dispatch, keyed by activity."""


WORDS = "words"
"""Not a topic: rows on their way from evaluate to the catalog, keyed by item."""


def output(topic: str, key: str | None, value: bytes, timestamp: int) -> Row:
    return Row(topic, key, value, timestamp)
