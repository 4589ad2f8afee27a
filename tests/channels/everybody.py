"""Every provider, with an address that it takes."""

from __future__ import annotations

from typing import Any

from kairos.adapters.channels.channel import (
    Message,
    Outcome,
)
from tests.channels.channel_kit import message

ADDRESSES = {
    "twilio": "+8613800000000",
    "aliyun_sms": "+8613800000000",
    "fcm": "token-1",
    "wechat": "openid-1",
    "webhook": None,
    "apprise": "room-1",
    "smtp": "anna@example.com",
}


PROVIDERS = list(ADDRESSES)


def to(provider: str, **fields: Any) -> Message:
    text = "thing: a tote bag\nremark: 谢谢" if provider in ("aliyun_sms", "wechat") else "Thank you, 谢谢."
    whole = {"address": ADDRESSES[provider], "text": text, "headers": {"subject": "Hello", "title": "Hello"}}
    return message(**{**whole, **fields})


def kinds(outcomes: list[Outcome]) -> list[type]:
    return [type(outcome) for outcome in outcomes]
