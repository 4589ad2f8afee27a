"""Twilio: SMS over its REST interface (Messages.json), and the status callbacks that tell what became of a message.

Twilio takes no idempotency key. The key goes into the callback's URL, so a message whose reply was lost is found again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from kairos.adapters.channels.callback import CallbackAnswer, CallbackRefusedError, CallbackRequest, same
from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Message,
    Misconfigured,
    Outcome,
    ProviderReceipt,
    Rejected,
    Retry,
    Unknown,
)
from kairos.adapters.channels.codes import Kind, by_code, opted_out
from kairos.adapters.channels.http_call import Http, Reply, brief, fault, retry_after
from kairos.adapters.channels.options import ChannelSettingsError, Surroundings, checked_url
from kairos.adapters.channels.secret import Secret


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`sender`: a number (+1...), or a messaging service (MG...). `status_callback`: where Twilio reports to."""

    account: str
    token: Secret
    sender: str
    status_callback: str | None = None
    base_url: str = "https://api.twilio.com"


# https://www.twilio.com/docs/api/errors
_CODES: dict[int, Kind] = by_code(
    (opted_out, (21610,)),
    # no such number, no mobile, a landline, a carrier that does not know it
    (DeadAddress, (21211, 21217, 21401, 21407, 21421, 21614, 21635, 30005, 30006)),
    # credentials and account; the sender
    (
        Misconfigured,
        (
            10001,
            20003,
            20005,
            20006,
            20008,
            20404,
            21212,
            21603,
            21606,
            21611,
            21659,
            21660,
            21701,
            21703,
            30002,
            30034,
        ),
    ),
    (Retry, (14107, 20429, 20500, 20503, 30001, 63038)),
    (Rejected, (21408, 21602, 21605, 21612, 21617, 21619, 30003, 30004, 30007, 30008)),
)
_STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read", "undelivered": "failed", "failed": "failed"}


class Twilio:
    def __init__(self, options: Options, around: Surroundings) -> None:
        base = checked_url(options.base_url, f"{around.place}.base_url")
        if not options.account.isalnum():
            raise ChannelSettingsError(f"{around.place}.account: expected the account's SID, AC and 32 hex digits")
        self._url = f"{base}/2010-04-01/Accounts/{options.account}/Messages.json"
        self._callback = _callback_url(options, f"{around.place}.status_callback")
        self._sender = "MessagingServiceSid" if options.sender.startswith("MG") else "From", options.sender
        credentials = base64.b64encode(f"{options.account}:{options.token.reveal()}".encode()).decode()
        self._headers = {
            "authorization": f"Basic {credentials}",
            "content-type": "application/x-www-form-urlencoded",
        }
        self._now = around.now
        self._http = Http(around.timeout)

    async def send(self, message: Message) -> Outcome:
        if not message.address or not message.text:
            return Rejected("an SMS needs a number and a text")
        fields = [("To", message.address), self._sender, ("Body", message.text)]
        if self._callback:
            fields.append(("StatusCallback", f"{self._callback}?key={quote(message.key)}"))
        reply = await self._http.call("POST", self._url, headers=self._headers, body=urlencode(fields).encode())
        return _outcome(reply, self._now()) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        await self._http.close()


def _callback_url(options: Options, key: str) -> str | None:
    if options.status_callback is None:
        return None
    url = checked_url(options.status_callback, key)
    if "?" in url or "#" in url:
        raise ChannelSettingsError(f"{key}: the URL must end with its path, because ?key= is put after it")
    return url


def _outcome(reply: Reply, now: int) -> Outcome:
    said = reply.json() or {}
    if reply.fine:
        sid = said.get("sid")
        return Accepted(sid) if isinstance(sid, str) and sid else Unknown(f"{reply.status} with a body without 'sid'")
    code, reason = said.get("code"), f"{said.get('code')} {brief(said.get('message'))}"
    if isinstance(code, int) and code in _CODES:
        kind = _CODES[code]
        return Retry(reason, retry_after(reply, now)) if kind is Retry else kind(reason)
    return fault(reply, now, reason if code else "") or Unknown(str(reply.status))


def open_channel(options: Options, around: Surroundings) -> Twilio:
    return Twilio(options, around)


def signature(token: str, url: str, fields: list[tuple[str, str]]) -> str:
    """X-Twilio-Signature of a POST of these form fields to the URL."""
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


_DIGITS = 9
"""Twilio's codes have five."""


def parse_callback(options: Options, request: CallbackRequest) -> CallbackAnswer:
    """A status callback. Raises CallbackRefusedError where it is not signed with the account's token."""
    try:
        fields = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise CallbackRefusedError(400, "the body is no form") from None
    url = f"{(options.status_callback or '').rstrip('/')}?{request.query}".rstrip("?")
    expected = signature(options.token.reveal(), url, fields)
    if not same(expected, request.headers.get("x-twilio-signature", "")):
        raise CallbackRefusedError(401, "the signature does not fit; is status_callback the URL that Twilio calls?")
    said = dict(fields)
    status = _STATUSES.get(said.get("MessageStatus", ""))
    return CallbackAnswer([_receipt(said, status, request.parameters().get("key"))] if status else [])


def _receipt(said: dict[str, str], status: str, key: str | None) -> ProviderReceipt:
    code, to = said.get("ErrorCode", ""), said.get("To")
    known = _CODES.get(int(code)) if status == "failed" and code.isdecimal() and len(code) <= _DIGITS else None
    outcome = known(code) if known else None
    return ProviderReceipt(
        status,
        key,
        said.get("MessageSid"),
        code or None,
        dead=(to,) if to and outcome == DeadAddress(code) else (),
        opted_out=outcome == opted_out(code),
    )
