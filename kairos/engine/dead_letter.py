"""Dead letters: what could not be used, why, and where it came from."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Reading = Literal["value", "fields", "mapped", "nothing"]


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
    """JSON. Where the value is cut, `fields` are left out: no part of them would do."""
    part = value[:limit]
    truncated = len(value) > limit
    try:
        text, encoding = part.decode("utf-8", "strict"), "utf-8"
    except UnicodeDecodeError as error:
        if truncated and error.start > limit - 4:  # the cut went through a character
            text, encoding = part[: error.start].decode(), "utf-8"
        else:
            text, encoding = base64.b64encode(part).decode(), "base64"
    beside = {} if truncated or fields is None else dict(fields)
    letter = DeadLetter(reason, message, origin, ts, key, text, len(value), encoding, truncated, beside, read)
    return msgspec.json.encode(letter)
