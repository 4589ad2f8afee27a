"""Who sends: by API key, or by a signature over the request (https://www.standardwebhooks.com).

A source with a secret takes signed requests only.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from collections.abc import Mapping

from kairos.adapters.channels.options import ChannelSettingsError
from kairos.adapters.channels.secret import resolve
from kairos.adapters.channels.webhook import key_of, signature
from kairos.adapters.sources.port import key_hash
from kairos.adapters.sources.seen import Seen, SeenAwayError
from kairos.apps.gateway.problem import Problem
from kairos.usecases.intake.registry import Door, Registry

WINDOW_SECONDS = 300
"""How far a signature's timestamp may be from the clock."""

_SIGNATURE = ("webhook-id", "webhook-timestamp", "webhook-signature")

log = logging.getLogger(__name__)


def sender(headers: Mapping[str, str], named: str | None, registry: Registry, key: str | None = None) -> Door:
    """The source whose key is there, or that is `named` and signs. `key`: from the body. Raises Problem.

    `headers`: of HTTP, or the metadata of gRPC; found by names in lower case.
    """
    if not registry.ready:
        raise Problem(503, "not_ready", "the sources are not known yet", retry_after=1)
    key = _key(headers) or key
    door = registry.of_key(key_hash(key)) if key else registry.named(named or "")
    if door is None or (key is None and door.entry.access.hmac is None):
        code, what = ("unknown_key", "this API key") if key else ("no_key", "a request without API key or signature")
        places = "'Authorization: Bearer KEY' or 'X-Api-Key'"
        raise Problem(401, code, f"no source takes {what}; an API key goes into {places}")
    if named not in (None, door.name):
        raise Problem(403, "wrong_source", f"the API key is of another source than '{named[:100]}'")
    if not door.entry.source.enabled:
        raise Problem(403, "disabled_source", f"the source '{door.name}' is switched off")
    return door


def says_who(headers: Mapping[str, str], named: str | None) -> bool:
    """Whether anything but a body says who sends. Raises Problem."""
    return named is not None or _key(headers) is not None


def _key(headers: Mapping[str, str]) -> str | None:
    """Of a bearer, of basic authentication (its user name, as Segment's SDKs do), or of X-Api-Key."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, ValueError):
            raise Problem(401, "bad_key", "what follows 'Basic' is not base64 of 'KEY:'") from None
        if user:
            return user
    return headers.get("x-api-key") or None


def check_signed(headers: Mapping[str, str], door: Door, now: int) -> None:
    """What of a signature can be checked before its body is read. `now`: epoch ms. Raises Problem."""
    if door.entry.access.hmac is None:
        return
    id_, stamp, given = (headers.get(name, "") for name in _SIGNATURE)
    if not (id_ and stamp and given):
        raise Problem(401, "no_signature", f"requests of this source are signed: {', '.join(_SIGNATURE)}")
    if not (stamp.isdecimal() and len(stamp) <= 12):
        raise Problem(401, "bad_signature", "'webhook-timestamp' is not a number of epoch seconds")
    if abs(now // 1000 - int(stamp)) > WINDOW_SECONDS:
        raise Problem(401, "old_signature", f"'webhook-timestamp' is more than {WINDOW_SECONDS} s off the clock")


async def check_signature(headers: Mapping[str, str], door: Door, sent: bytes, now: int, seen: Seen) -> str | None:
    """A token to give back to `seen` if the request comes to nothing; None: the source does not sign. Raises Problem.

    `now`: epoch ms.
    """
    reference = door.entry.access.hmac
    if reference is None:
        return None
    check_signed(headers, door, now)
    id_, stamp, given = (headers[name] for name in _SIGNATURE)
    expected = signature(_secret(door, reference), id_, int(stamp), sent).encode()
    if not any(hmac.compare_digest(expected, one.encode()) for one in given.split()[:10]):
        raise Problem(401, "wrong_signature", "the signature does not belong to this body, id and timestamp")
    token = f"{door.name}:{key_hash(id_)}:{int(stamp)}"
    try:
        if not await seen.claim(token, 2 * WINDOW_SECONDS * 1000):
            raise Problem(409, "replayed", "this signed request has been taken already")
    except SeenAwayError as error:
        raise Problem(503, "unavailable", str(error), retry_after=1) from None
    return token


def _secret(door: Door, reference: dict[str, str]) -> bytes:
    try:
        return key_of(resolve(reference), f"source {door.name}")
    except (ValueError, ChannelSettingsError) as error:
        log.error("requests of source '%s' cannot be checked: %s", door.name, error)
        raise Problem(503, "no_secret", "the gateway lacks the secret of this source", retry_after=10) from None
