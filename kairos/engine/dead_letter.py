"""Dead letters: what could not be used, why, and where it came from."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from kairos.engine.record_size import MOST_BYTES

Reading = Literal["value", "fields", "mapped", "nothing"]

MOST_SAID = 200
"""Characters of a message: it may repeat a part of what came."""
MOST_PLACE = 300
MOST_KEY = 256


class DeadLetter(msgspec.Struct, omit_defaults=True):
    """`value` is the original record's, as text or (`encoding` base64) bytes, cut after a limit: `size` is the whole
    length in bytes. `origin`: "topic/partition@offset", or "door/source" for what did not get as far as a topic of
    events. `ts`: the record's timestamp, epoch ms.

    What came through a door is read once more from the `value`, with `fields` that came beside it (such as a message's
    id), or from these fields alone: what a translator made of the value, envelope fields or (`mapped`) a document for
    the source's `map`. `nothing`: even the translator could not read it."""

    reason: str
    message: str
    origin: str
    ts: int
    key: str | None
    value: str
    size: int
    encoding: str = "utf-8"
    truncated: bool = False
    fields: dict[str, Any] = {}
    read: Reading = "value"


def dead_letter(
    reason: str,
    message: str,
    origin: str,
    ts: int,
    key: str | None,
    value: bytes,
    limit: int,
    fields: Mapping[str, Any] | None = None,
    read: Reading = "value",
) -> bytes:
    """JSON, at most `MOST_BYTES` (a control character takes six). Where the value is cut, `fields` are left out: no
    part of them would do. Message, origin and key are cut, too, with a mark."""
    said, place, named = cut(message, MOST_SAID), cut(origin, MOST_PLACE), None if key is None else cut(key, MOST_KEY)
    truncated = len(value) > limit
    while True:
        text, encoding = _text(value, limit)
        beside = {} if truncated or fields is None else dict(fields)
        letter = DeadLetter(reason, said, place, ts, named, text, len(value), encoding, truncated, beside, read)
        encoded = msgspec.json.encode(letter)
        if len(encoded) <= MOST_BYTES:
            return encoded
        limit, truncated = min(limit, len(value)) // 2, True


def _text(value: bytes, limit: int) -> tuple[str, str]:
    """As text or in base64, and which."""
    part = value[:limit]
    try:
        return part.decode("utf-8", "strict"), "utf-8"
    except UnicodeDecodeError as error:
        if len(value) > limit and error.start > limit - 4:  # the cut went through a character
            return part[: error.start].decode(), "utf-8"
        return base64.b64encode(part).decode(), "base64"


def cut(text: str, most: int) -> str:
    """At most so many characters, with a mark where some are missing; no halves of characters."""
    whole = text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return whole.encode("utf-8", "replace").decode()
