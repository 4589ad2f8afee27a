"""The key of a value: what `distinct` tells apart, and what `per` keeps apart."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

_EXACT = 2.0**63


MOST_CHARACTERS = 256
"""Of a key. A longer value is known by its hash."""


def value_key(value: Any) -> str:
    """Equal values have equal keys: 1 and 1.0 are equal, 1, true and "1" are not. A letter for the kind, then text."""
    key = _text(value)
    return key if len(key) <= MOST_CHARACTERS else hashed(key)


def hashed(key: str) -> str:
    return "h" + blake2b(key.encode(), digest_size=16).hexdigest()


def _text(value: Any) -> str:
    if type(value) is str:
        return "s" + value
    if type(value) is float and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    return "j" + msgspec.json.encode(value).decode()
