"""Firebase Cloud Messaging, HTTP v1: push to apps, with an access token of a Google service account.

It takes no idempotency key. The key goes along as the tag that replaces: a message that came twice shows once.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Message,
    Misconfigured,
    Outcome,
    Rejected,
    Retry,
    Unknown,
)
from kairos.adapters.channels.codes import Kind, by_code
from kairos.adapters.channels.http_call import Http, Reply, brief, fault, retry_after
from kairos.adapters.channels.options import ChannelSettingsError, Surroundings, checked_url
from kairos.adapters.channels.secret import Secret
from kairos.adapters.channels.token_cache import Failure, Token, TokenCache


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`service_account`: the JSON that Google's console gives. `project`: where it is not the account's own."""

    service_account: Secret
    project: str | None = None
    base_url: str = "https://fcm.googleapis.com"


class ServiceAccount(msgspec.Struct, frozen=True):
    client_email: str
    private_key: str
    token_uri: str
    project_id: str | None = None
    private_key_id: str | None = None

    def __repr__(self) -> str:
        return f"ServiceAccount({self.client_email})"


_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_HOUR = 3_600
_QUOTA_PAUSE = 60_000
"""ms to wait after QUOTA_EXCEEDED without a Retry-After, as Google asks."""

# https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, else the status of the error
_CODES: dict[str, Kind] = by_code(
    (DeadAddress, ("UNREGISTERED", "SENDER_ID_MISMATCH")),
    (Misconfigured, ("THIRD_PARTY_AUTH_ERROR", "PERMISSION_DENIED", "UNAUTHENTICATED")),
    (Retry, ("QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL", "RESOURCE_EXHAUSTED")),
    (Rejected, ("INVALID_ARGUMENT",)),
)


class Fcm:
    def __init__(self, options: Options, around: Surroundings) -> None:
        self._account = _account(options.service_account, around.place)
        project = options.project or self._account.project_id
        if not project:
            raise ChannelSettingsError(f"{around.place}.project: is missing, and the service account names none")
        base = checked_url(options.base_url, f"{around.place}.base_url")
        self._url = f"{base}/v1/projects/{project}/messages:send"
        self._now = around.now
        self._http = Http(around.timeout)
        self._tokens = TokenCache(self._fetch, around.now)

    async def send(self, message: Message) -> Outcome:
        if not message.address:
            return Rejected("a push message needs a registration token")
        body = msgspec.json.encode({"message": payload(message)})
        deadline = self._http.deadline()

        async def call(token: str) -> Reply | Failure:
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            return await self._http.call("POST", self._url, headers=headers, body=body, deadline=deadline)

        reply = await self._tokens.call(call, _token_refused, deadline)
        return _outcome(reply, self._now()) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        self._tokens.close()
        await self._http.close()

    async def _fetch(self, refused: str | None) -> Token | Retry | Misconfigured:
        account, now = self._account, self._now()
        claims = {
            "iss": account.client_email,
            "scope": _SCOPE,
            "aud": account.token_uri,
            "iat": now // 1000,
            "exp": now // 1000 + _HOUR,
        }
        headers = {"kid": account.private_key_id} if account.private_key_id else None
        assertion = jwt.encode(claims, account.private_key, algorithm="RS256", headers=headers)
        reply = await self._http.call(
            "POST",
            account.token_uri,
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode({"grant_type": _GRANT, "assertion": assertion}).encode(),
        )
        return _token(reply, now) if isinstance(reply, Reply) else Retry(f"no access token: {reply.reason}")


def _account(secret: Secret, place: str) -> ServiceAccount:
    key = f"{place}.service_account"
    try:
        account = msgspec.json.decode(secret.reveal(), type=ServiceAccount)
        load_pem_private_key(account.private_key.encode(), None)
    except msgspec.MsgspecError as error:
        raise ChannelSettingsError(f"{key}: not a service account's JSON: {error}") from None
    except (ValueError, TypeError):
        raise ChannelSettingsError(f"{key}: 'private_key' is no PEM key") from None
    checked_url(account.token_uri, f"{key}.token_uri")
    return account


def payload(message: Message) -> dict[str, Any]:
    """The `message` of messages:send. The app finds the key, the activity and the link under `data`."""
    head = message.headers
    notification = {"title": head.get("title"), "body": message.text, "image": head.get("image")}
    data = {"key": message.key, "activity": message.activity, "link": head.get("link")}
    whole: dict[str, Any] = {
        "token": message.address,
        "notification": {name: value for name, value in notification.items() if value},
        "data": {name: value for name, value in data.items() if value},
        "android": {"collapse_key": message.key, "notification": {"tag": message.key}},
        "apns": {"headers": {"apns-collapse-id": message.key}},
    }
    if head.get("link", "").startswith("https://"):
        whole["webpush"] = {"fcm_options": {"link": head["link"]}}
    return whole


def _token(reply: Reply, now: int) -> Token | Retry | Misconfigured:
    said = reply.json() or {}
    text, seconds = said.get("access_token"), said.get("expires_in")
    if reply.fine and isinstance(text, str) and isinstance(seconds, int):
        return Token(text, now + seconds * 1000)
    reason = (
        f"no access token: {reply.status} {brief(said.get('error'))} {brief(said.get('error_description'))}".strip()
    )
    refused = 400 <= reply.status < 500 and reply.status not in (408, 429)
    return Misconfigured(reason) if refused else Retry(reason, retry_after(reply, now))


def _token_refused(reply: Reply) -> bool:
    return reply.status == 401 and _error(reply)[0] != "THIRD_PARTY_AUTH_ERROR"


def _error(reply: Reply) -> tuple[str, dict[str, Any]]:
    """FCM's own error code, or else the general status; and the error."""
    error = (reply.json() or {}).get("error")
    if not isinstance(error, dict):
        return "", {}
    own = [detail["errorCode"] for detail in _details(error) if isinstance(detail.get("errorCode"), str)]
    return (own[0] if own else str(error.get("status") or "")), error


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _outcome(reply: Reply, now: int) -> Outcome:
    if reply.fine:
        name = (reply.json() or {}).get("name")
        return Accepted(name) if isinstance(name, str) else Unknown(f"{reply.status} with a body without 'name'")
    code, error = _error(reply)
    reason = f"{code} {brief(error.get('message'))}".strip()
    if code == "INVALID_ARGUMENT" and _about_the_token(error):
        return DeadAddress(reason)
    kind = _CODES.get(code)
    if kind is Retry:
        return Retry(reason, retry_after(reply, now) or (_QUOTA_PAUSE if code == "QUOTA_EXCEEDED" else None))
    if kind is not None:
        return kind(reason)
    return fault(reply, now, reason) or Unknown(reason)


def _about_the_token(error: dict[str, Any]) -> bool:
    violations = [v for d in _details(error) for v in d.get("fieldViolations") or [] if isinstance(v, dict)]
    return any(violation.get("field") == "message.token" for violation in violations)


def open_channel(options: Options, around: Surroundings) -> Fcm:
    return Fcm(options, around)
