"""The key of a value: what `distinct` tells apart, and what `per` keeps apart."""

from __future__ import annotations

from typing import Any

import msgspec

_EXACT = 2.0**63


def value_key(value: Any) -> str:
    """Equal values have equal keys: 1 and 1.0 are equal, 1, true and "1" are not. A letter for the kind, then text."""
    if type(value) is str:
        return "s" + value
    if type(value) is float and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    return "j" + msgspec.json.encode(value).decode()
