"""What the tests of providers share: messages, and channels opened as the worker opens them."""

from __future__ import annotations

from typing import Any

from kairos.adapters.channels.channel import Message

NOW = 1_763_800_000_000
"""The clock of all tests here, epoch ms."""

KEY = "0123456789abcdef0123456789abcdef"


def message(**fields: Any) -> Message:
    """A message with every field; `fields` replace some."""
    usual: dict[str, Any] = {
        "key": KEY,
        "activity": "payment_unfinished",
        "user_id": "u1",
        "occurrence": "979e355370809298",
        "attempt": 1,
        "channel": "sms",
        "template": "payment_unfinished",
        "address": "+8613800000000",
        "headers": {},
        "text": "Your order 订单 O-1 waits.",
        "values": {"order_id": "O-1"},
    }
    return Message(**{**usual, **fields})
