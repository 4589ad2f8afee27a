"""Aliyun SMS: SendSms of Dysmsapi 2017-05-25, signed with ACS3-HMAC-SHA256 (Alibaba Cloud's signature V3).

It takes no idempotency key; the key goes along as OutId, which its reports give back. The text is a template at Aliyun:
the body of ours is lines `name: value`, its parameters.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import msgspec
from yarl import URL

from kairos.adapters.channels.callback import CallbackAnswer, CallbackRefusedError, CallbackRequest, check_token
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
from kairos.adapters.channels.options import Surroundings, checked_url
from kairos.adapters.channels.parameters import parameters_of
from kairos.adapters.channels.secret import Secret
from kairos.adapters.decoding import UnreadableError, decoder


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`signature`: the name that stands in brackets before the text (SignName). `template`: the code used where ours
    has no head `Template-Code`. `callback_token`: what the URL of the reports must carry as `?token=`."""

    access_key: str
    access_secret: Secret
    signature: str
    template: str | None = None
    callback_token: Secret | None = None
    base_url: str = "https://dysmsapi.aliyuncs.com"


def sign(access_key: str, secret: str, headers: Mapping[str, str], query: Mapping[str, str]) -> dict[str, str]:
    """The headers with `authorization`, for a POST of an empty body to `/`. `headers`: host and all x-acs-*."""
    names = sorted(name for name in headers if name == "host" or name.startswith("x-acs-"))
    canonical = "\n".join(
        [
            "POST",
            "/",
            encoded(query),
            *(f"{name}:{headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            headers["x-acs-content-sha256"],
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signed = hmac.digest(secret.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), hashlib.sha256).hex()
    return {
        **headers,
        "authorization": f"ACS3-HMAC-SHA256 Credential={access_key},SignedHeaders={';'.join(names)},Signature={signed}",
    }


def encoded(query: Mapping[str, str]) -> str:
    """Sorted by name, everything but A-Z a-z 0-9 - _ . ~ as percent signs."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))


_NOTHING = hashlib.sha256(b"").hexdigest()
_ONE_A_MINUTE = 60_000

# https://help.aliyun.com/zh/sms/developer-reference/api-error-codes
_CODES: dict[str, Kind] = by_code(
    (DeadAddress, ("isv.MOBILE_NUMBER_ILLEGAL",)),
    # the second in reports; MOBILE_NOT_ON_SERVICE and the like may be a phone that is switched off
    (opted_out, ("isv.CUSTOMER_REFUSED", "MOBILE_IN_BLACK")),
    (
        Misconfigured,
        (
            "isv.OUT_OF_SERVICE",
            "isv.AMOUNT_NOT_ENOUGH",
            "isv.ACCOUNT_NOT_EXISTS",
            "isv.ACCOUNT_ABNORMAL",
            "isv.SECURITY_FROZEN_ACCOUNT",
            "isv.DENY_IP_RANGE",
            "isv.PRODUCT_UN_SUBSCRIPT",
            "isv.PRODUCT_UNSUBSCRIBE",
            "isv.DAY_LIMIT_CONTROL",
            "isv.MONTH_LIMIT_CONTROL",
            "isv.SMS_SIGNATURE_ILLEGAL",
            "isv.SMS_SIGN_ILLEGAL",
            "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
            "isp.RAM_PERMISSION_DENY",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "InvalidAccessKeyId.NotFound",
            "InvalidAccessKeyId.Inactive",
            "InvalidTimeStamp.Expired",
            "Forbidden.RAM",
            "NoPermission",
        ),
    ),
    # the first: one number gets so many a minute, hour and day
    (Retry, ("isv.BUSINESS_LIMIT_CONTROL", "isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "SignatureNonceUsed")),
    (Retry, ("Throttling", "Throttling.User", "Throttling.Api", "ServiceUnavailable", "InternalError")),
)


class AliyunSms:
    def __init__(self, options: Options, around: Surroundings) -> None:
        self._url = checked_url(options.base_url, f"{around.place}.base_url")
        self._options, self._now = options, around.now
        self._http = Http(around.timeout)

    async def send(self, message: Message) -> Outcome:
        template = message.headers.get("template_code") or self._options.template
        if not message.address or not template:
            return Rejected("Aliyun needs a number and a template code (head 'Template-Code' or option 'template')")
        query = {
            "PhoneNumbers": message.address.removeprefix("+86").removeprefix("+"),
            "SignName": self._options.signature,
            "TemplateCode": template,
            "TemplateParam": msgspec.json.encode(parameters_of(message.text)).decode(),
            "OutId": message.key,
        }
        now = self._now()
        url = URL(f"{self._url}/?{encoded(query)}", encoded=True)
        reply = await self._http.call("POST", url, headers=self._headers(query, now), body=b"")
        return _outcome(reply, now) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        await self._http.close()

    def _headers(self, query: Mapping[str, str], now: int) -> dict[str, str]:
        headers = {
            "host": urlsplit(self._url).netloc,
            "x-acs-action": "SendSms",
            "x-acs-version": "2017-05-25",
            "x-acs-date": datetime.fromtimestamp(now // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-content-sha256": _NOTHING,
        }
        return sign(self._options.access_key, self._options.access_secret.reveal(), headers, query)


def _outcome(reply: Reply, now: int) -> Outcome:
    """Refusals come with 200 as well as with 4xx; their code counts, where it is known."""
    said = reply.json() or {}
    code = said.get("Code")
    reason = f"{code} {brief(said.get('Message'))}"
    if reply.fine and code == "OK":
        return Accepted(str(said["BizId"]) if said.get("BizId") else None)
    kind = _CODES.get(code) if isinstance(code, str) else None
    if kind is Retry:
        least = _ONE_A_MINUTE if code == "isv.BUSINESS_LIMIT_CONTROL" else None
        return Retry(reason, retry_after(reply, now) or least)
    if kind is not None:
        return kind(reason)
    if reply.fine and isinstance(code, str):
        return Rejected(reason)
    return fault(reply, now, reason if code else "") or Unknown(f"{reply.status} with a body without 'Code'")


def open_channel(options: Options, around: Surroundings) -> AliyunSms:
    return AliyunSms(options, around)


class Report(msgspec.Struct, frozen=True):
    """One element of an SmsReport, as far as it is read."""

    success: bool
    biz_id: str | None = None
    out_id: str | None = None
    err_code: str | None = None
    phone_number: str | None = None


_reports = decoder(list[Report])
_HEARD = b'{"code":0,"msg":"OK"}'


def parse_callback(options: Options, request: CallbackRequest) -> CallbackAnswer:
    """An SmsReport, which Aliyun does not sign. Raises CallbackRefusedError."""
    check_token(options.callback_token, request)
    try:
        reports = _reports(request.body)
    except UnreadableError as error:
        raise CallbackRefusedError(400, f"not an SmsReport: {error}") from None
    return CallbackAnswer([_receipt(report) for report in reports], _HEARD, "application/json")


def _receipt(report: Report) -> ProviderReceipt:
    if report.success:
        return ProviderReceipt("delivered", report.out_id, report.biz_id)
    code = report.err_code or ""
    outcome = _CODES[code](code) if code in _CODES else None
    return ProviderReceipt(
        "failed",
        report.out_id,
        report.biz_id,
        code or None,
        dead=_ways(report.phone_number or "") if outcome == DeadAddress(code) else (),
        opted_out=outcome == opted_out(code),
    )


def _ways(number: str) -> tuple[str, ...]:
    """The mainland's numbers come without their country code, others without the plus."""
    if len(number) == 11 and number.startswith("1"):
        return number, f"+86{number}"
    return (number, f"+{number}") if number else ()
