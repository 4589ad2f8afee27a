"""How much a value takes where it is kept: its bytes in msgpack, as the state has them."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.msgpack.Encoder().encode


def size_of(value: Any) -> int:
    return len(_encode(value))
