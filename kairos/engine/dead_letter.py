"""Dead letters: what could not be used, why, and where it came from."""

from __future__ import annotations

import base64

import msgspec


class DeadLetter(msgspec.Struct, omit_defaults=True):
    """`value` is the original record's, as text or (`encoding` base64) bytes, cut after a limit: `size` is the whole
    length in bytes. `origin`: "topic/partition@offset". `ts`: the record's timestamp, epoch ms."""

    reason: str
    message: str
    origin: str
    ts: int
    key: str | None
    value: str
    size: int
    encoding: str = "utf-8"
    truncated: bool = False


def dead_letter(reason: str, message: str, origin: str, ts: int, key: str | None, value: bytes, limit: int) -> bytes:
    """JSON."""
    part = value[:limit]
    truncated = len(value) > limit
    try:
        text, encoding = part.decode("utf-8", "strict"), "utf-8"
    except UnicodeDecodeError as error:
        if truncated and error.start > limit - 4:  # the cut went through a character
            text, encoding = part[: error.start].decode(), "utf-8"
        else:
            text, encoding = base64.b64encode(part).decode(), "base64"
    letter = DeadLetter(reason, message, origin, ts, key, text, len(value), encoding, truncated)
    return msgspec.json.encode(letter)
