"""What a provider says later, over HTTP: read by the provider's own `parse_callback(options, request, place)`."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

import msgspec

from kairos.adapters.channels.channel import ProviderReceipt
from kairos.adapters.channels.secret import Secret


class CallbackRequest(msgspec.Struct, frozen=True):
    """`query` as it stood in the URL; header names in lower case; `now`: epoch ms."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    now: int

    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


class CallbackAnswer(msgspec.Struct, frozen=True):
    """What it said, and what the provider wants to hear when that is kept."""

    receipts: Sequence[ProviderReceipt] = ()
    body: bytes = b""
    media_type: str = "text/plain"


class CallbackRefusedError(Exception):
    """`status` is 401 for who cannot prove to be the provider, 400 for what cannot be read."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def check_token(token: Secret | None, request: CallbackRequest) -> None:
    """For providers that sign nothing: `?token=` of the URL given to them. Raises CallbackRefusedError."""
    if token is None:
        raise CallbackRefusedError(401, "the channel's option callback_token is not given")
    if not same(token.reveal(), request.parameters().get("token", "")):
        raise CallbackRefusedError(401, "the URL does not end with the right ?token=")


_TOLERANCE_SECONDS = 300
_DIGITS = 12
"""More than any epoch second of this calendar has; of thousands Python makes no number."""


def check_time(seconds: str, request: CallbackRequest) -> int:
    """Epoch seconds that were signed, of a moment ago. Raises CallbackRefusedError."""
    readable = seconds.isdecimal() and len(seconds) <= _DIGITS
    if not readable or abs(int(seconds) - request.now // 1000) > _TOLERANCE_SECONDS:
        raise CallbackRefusedError(401, "its time is missing, or not now")
    return int(seconds)


def same(expected: str, given: str) -> bool:
    """Compares in a time that tells nothing."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
