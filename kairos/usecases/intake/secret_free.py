"""A request without the keys that some senders put into its body: what of it may be kept and told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NAMES = ("writeKey", "write_key", "apiKey", "api_key")
"""Members of a body that hold the sender's key; Segment's SDKs have the first."""
MASK = b"-"

_KEYS = "|".join(NAMES).encode()
_MEMBER = re.compile(rb'("(?:' + _KEYS + rb')"\s*:\s*")(?:[^"\\]|\\.)*', re.IGNORECASE | re.DOTALL)


def secret_free(raw: bytes) -> bytes:
    """The same bytes, JSON or not, with a mark in place of each key."""
    return _MEMBER.sub(rb"\1" + MASK, raw)


def secret_free_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {name.lower() for name in NAMES}
    return {name: value for name, value in fields.items() if name.lower() not in hidden}
