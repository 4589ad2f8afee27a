"""A record to be written, wherever it goes."""

from __future__ import annotations

import msgspec


class Post(msgspec.Struct, frozen=True):
    """`topic` without the configured prefix. `timestamp`: epoch ms."""

    topic: str
    key: str | None
    value: bytes
    timestamp: int
