"""WeChat official account: template messages, with an access token that all calls share.

The body of a template is lines `name: value`, the data of the template at WeChat. The key goes along as client_msg_id:
WeChat sends one message for it within ten minutes.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import msgspec

from kairos.adapters.channels.callback import CallbackAnswer, CallbackRefusedError, CallbackRequest, check_time, same
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
from kairos.adapters.channels.flat_xml import flat_xml
from kairos.adapters.channels.http_call import Http, Reply, brief, fault
from kairos.adapters.channels.options import Surroundings, checked_url
from kairos.adapters.channels.parameters import parameters_of
from kairos.adapters.channels.secret import Secret
from kairos.adapters.channels.token_cache import Failure, Token, TokenCache


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`template`: the template id where ours has no head `Template-Id`. `callback_token`: the token of the account's
    server configuration, by which WeChat signs its events (plain mode)."""

    appid: str
    secret: Secret
    template: str | None = None
    callback_token: Secret | None = None
    base_url: str = "https://api.weixin.qq.com"


_TOKEN_REFUSED = frozenset({40001, 40014, 41001, 42001})

# https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html
_CODES: dict[int, Kind] = by_code(
    (opted_out, (43004, 43101)),  # does not follow the account; refuses its messages
    (DeadAddress, (40003,)),
    (Retry, (-1, 45011)),
    # quotas of the day, credentials, the account's rights
    (Misconfigured, (45009, 40001, 40013, 40014, 40125, 40164, 41001, 41002, 41004, 42001, 48001, 48004, 50002, 89503)),
    (Rejected, (40036, 40037, 41028, 41030, 44002, 47001, 47003)),
)


class WeChat:
    def __init__(self, options: Options, around: Surroundings) -> None:
        self._base = checked_url(options.base_url, f"{around.place}.base_url")
        self._options, self._now = options, around.now
        self._http = Http(around.timeout)
        self._tokens = TokenCache(self._fetch, around.now)

    async def send(self, message: Message) -> Outcome:
        template = message.headers.get("template_id") or self._options.template
        if not message.address or not template:
            return Rejected("WeChat needs an openid and a template id (head 'Template-Id' or option 'template')")
        body = msgspec.json.encode(payload(message, template))
        deadline = self._http.deadline()

        async def call(token: str) -> Reply | Failure:
            return await self._post(f"message/template/send?access_token={quote(token)}", body, deadline)

        reply = await self._tokens.call(call, lambda reply: _code(reply) in _TOKEN_REFUSED, deadline)
        return _outcome(reply, self._now()) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        self._tokens.close()
        await self._http.close()

    async def _post(self, path: str, body: bytes, deadline: float | None = None) -> Reply | Retry | Unknown:
        headers = {"content-type": "application/json"}
        return await self._http.call(
            "POST", f"{self._base}/cgi-bin/{path}", headers=headers, body=body, deadline=deadline
        )

    async def _fetch(self, refused: str | None) -> Token | Retry | Misconfigured:
        """The stable token: workers that ask for it get the same one. Only where that is the refused one a new one is
        forced, because that ends the token of all others, and WeChat allows it 20 times a day."""
        token = await self._stable_token(force=False)
        forced = isinstance(token, Token) and token.text == refused
        return await self._stable_token(force=True) if forced else token

    async def _stable_token(self, force: bool) -> Token | Retry | Misconfigured:
        ask = {
            "grant_type": "client_credential",
            "appid": self._options.appid,
            "secret": self._options.secret.reveal(),
            "force_refresh": force,
        }
        now = self._now()
        reply = await self._post("stable_token", msgspec.json.encode(ask))
        return _token(reply, now) if isinstance(reply, Reply) else Retry(f"no access token: {reply.reason}")


def payload(message: Message, template: str) -> dict[str, Any]:
    head = message.headers
    whole: dict[str, Any] = {
        "touser": message.address,
        "template_id": template,
        "client_msg_id": message.key,
        "data": {name: {"value": value} for name, value in parameters_of(message.text).items()},
    }
    if head.get("link"):
        whole["url"] = head["link"]
    if head.get("mini_program_appid"):
        program = {"appid": head["mini_program_appid"], "pagepath": head.get("mini_program_path")}
        whole["miniprogram"] = {name: value for name, value in program.items() if value}
    return whole


def _token(reply: Reply, now: int) -> Token | Retry | Misconfigured:
    said = reply.json() or {}
    text, seconds = said.get("access_token"), said.get("expires_in")
    if reply.fine and isinstance(text, str) and isinstance(seconds, int):
        return Token(text, now + seconds * 1000)
    reason = f"no access token: {reply.status} {said.get('errcode', '')} {brief(said.get('errmsg'))}".strip()
    code = _code(reply)
    return Misconfigured(reason) if code is not None and _CODES.get(code) is Misconfigured else Retry(reason)


def _code(reply: Reply) -> int | None:
    code = (reply.json() or {}).get("errcode")
    return code if isinstance(code, int) else None


def _outcome(reply: Reply, now: int) -> Outcome:
    said, code = reply.json() or {}, _code(reply)
    if code is None:
        return fault(reply, now) or Unknown(f"{reply.status} with a body without 'errcode'")
    if code == 0:
        return Accepted(str(said["msgid"]) if "msgid" in said else None)
    return _CODES.get(code, Rejected)(f"{code} {brief(said.get('errmsg'))}")


def open_channel(options: Options, around: Surroundings) -> WeChat:
    return WeChat(options, around)


def parse_callback(options: Options, request: CallbackRequest) -> CallbackAnswer:
    """The handshake (GET with echostr) and events in plain XML, signed with the account's token.

    The encrypted mode is not supported. Raises CallbackRefusedError.
    """
    given = request.parameters()
    token = options.callback_token
    expected = signature(token.reveal(), given.get("timestamp", ""), given.get("nonce", "")) if token else ""
    if not expected or not same(expected, given.get("signature", "")):
        raise CallbackRefusedError(401, "the signature does not fit; is callback_token the one of the account?")
    check_time(given.get("timestamp", ""), request)  # it signs no body: an old one would fit any
    if request.method == "GET":
        return CallbackAnswer(body=given.get("echostr", "").encode())
    try:
        receipt = _receipt(flat_xml(request.body))
    except ValueError as error:
        raise CallbackRefusedError(400, str(error)) from None
    return CallbackAnswer([receipt] if receipt else [], b"success")


def signature(token: str, timestamp: str, nonce: str) -> str:
    return hashlib.sha1("".join(sorted((token, timestamp, nonce))).encode()).hexdigest()


def _receipt(event: dict[str, str]) -> ProviderReceipt | None:
    if event.get("Event") != "TEMPLATESENDJOBFINISH":
        return None
    status, name = event.get("Status", ""), event.get("MsgID") or event.get("MsgId")
    if status == "success":
        return ProviderReceipt("delivered", provider_id=name)
    return ProviderReceipt("failed", provider_id=name, reason=brief(status), opted_out="user block" in status)
