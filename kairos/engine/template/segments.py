"""How many messages of the phone network one SMS is: each is paid for.

Source: 3GPP TS 23.038, section 6.2.1. A text of its 7-bit alphabet has 160 characters in one message, 153 in each of
several; any other letter makes it UCS-2, with 70 and 67.
"""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Each takes two places."""


def segments(text: str) -> int:
    """At least 1."""
    if all(c in _BASIC or c in _EXTENDED for c in text):
        return _parts(sum(2 if c in _EXTENDED else 1 for c in text), 160, 153)
    return _parts(len(text.encode("utf-16-le", "surrogatepass")) // 2, 70, 67)


def _parts(length: int, alone: int, each: int) -> int:
    return 1 if length <= alone else -(-length // each)
