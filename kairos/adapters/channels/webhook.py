"""Webhook: the message as JSON to a URL, signed as Standard Webhooks says (https://www.standardwebhooks.com).

`webhook-id` is the delivery's key and the same in every repeat, so the receiver can tell repeats by it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Literal

import msgspec

from kairos.adapters.channels.callback import CallbackAnswer, CallbackRefusedError, CallbackRequest, check_time, same
from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Message,
    Misconfigured,
    Outcome,
    ProviderReceipt,
    Refused,
    Rejected,
)
from kairos.adapters.channels.http_call import Http, Reply, fault
from kairos.adapters.channels.options import ChannelSettingsError, Surroundings, checked_url
from kairos.adapters.channels.reach import ForbiddenError, Reach
from kairos.adapters.channels.secret import Secret
from kairos.adapters.decoding import UnreadableError, decoder


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`secret`: `whsec_` and the key in base64. `url`: where all messages go; without it each message's address is its
    URL. `token`: for an `authorization: Bearer` beside the signature. `allow`: networks and hosts to which a message's
    own URL may lead, beside the public internet."""

    secret: Secret
    url: str | None = None
    token: Secret | None = None
    headers: dict[str, str] = {}
    allow: list[str] = []


class Body(msgspec.Struct, frozen=True):
    """`timestamp`: epoch seconds of this call."""

    type: str
    timestamp: int
    data: Message


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`. `timestamp`: epoch seconds."""
    signed = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def key_of(secret: Secret, place: str) -> bytes:
    """The key's bytes. Raises ChannelSettingsError."""
    try:
        key = base64.b64decode(secret.reveal().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < 16:
        raise ChannelSettingsError(f"{place}.secret: expected whsec_ and at least 16 bytes in base64")
    return key


class Webhook:
    def __init__(self, options: Options, around: Surroundings) -> None:
        self._options = options
        self._url = None if options.url is None else checked_url(options.url, f"{around.place}.url")
        self._key = key_of(options.secret, around.place)
        self._now = around.now
        self._http = Http(around.timeout, None if self._url else Reach(options.allow, f"{around.place}.allow"))
        self._headers = {**options.headers, "content-type": "application/json"}
        if options.token is not None:
            self._headers["authorization"] = f"Bearer {options.token.reveal()}"
        self._encoder = msgspec.json.Encoder()

    async def send(self, message: Message) -> Outcome:
        try:
            return await self._call(message, self._url or checked_url(message.address or "", "address"))
        except (ChannelSettingsError, ForbiddenError) as error:
            return Rejected(str(error))

    async def _call(self, message: Message, url: str) -> Outcome:
        """Raises ForbiddenError."""
        now = self._now()
        body = self._encoder.encode(Body("message", now // 1000, message))
        headers = {
            **self._headers,
            "webhook-id": message.key,
            "webhook-timestamp": str(now // 1000),
            "webhook-signature": signature(self._key, message.key, now // 1000, body),
        }
        reply = await self._http.call("POST", url, headers=headers, body=body)
        return self._outcome(reply, now) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        await self._http.close()

    def _outcome(self, reply: Reply, now: int) -> Outcome:
        """What stands in the reply is the receiver's own affair. 410 ends a message's own URL, or else the channel."""
        if reply.status == 410:
            return Misconfigured("410 gone") if self._url else DeadAddress("410 gone")
        outcome = fault(reply, now) or Accepted(delivered=True)
        if self._url is None and isinstance(outcome, Misconfigured):
            return Refused(outcome.reason)  # one user's URL says nothing of the others
        return outcome


def open_channel(options: Options, around: Surroundings) -> Webhook:
    return Webhook(options, around)


class Report(msgspec.Struct, frozen=True):
    """What the receiver says later of the message `key`. `dead_address`: one that nobody has any more."""

    key: str
    status: Literal["sent", "delivered", "read", "clicked", "failed"]
    reason: str | None = None
    dead_address: str | None = None
    opted_out: bool = False


_reports = decoder(list[Report])


def parse_callback(options: Options, request: CallbackRequest) -> CallbackAnswer:
    """A JSON array of reports, signed as our messages are, with the same secret. Raises CallbackRefusedError."""
    headers = request.headers
    seconds = check_time(headers.get("webhook-timestamp", ""), request)
    expected = signature(key_of(options.secret, "webhook"), headers.get("webhook-id", ""), seconds, request.body)
    if not any(same(expected, given) for given in headers.get("webhook-signature", "").split()):
        raise CallbackRefusedError(401, "webhook-signature does not fit")
    try:
        reports = _reports(request.body)
    except UnreadableError as error:
        raise CallbackRefusedError(400, f"expected an array of reports: {error}") from None
    return CallbackAnswer([_receipt(report) for report in reports])


def _receipt(report: Report) -> ProviderReceipt:
    dead = (report.dead_address,) if report.dead_address else ()
    return ProviderReceipt(report.status, report.key, None, report.reason, dead, report.opted_out)
