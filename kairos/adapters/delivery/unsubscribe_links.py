"""Links by which one person leaves: signed, so that nobody can leave in another's name, and nothing has to be kept.

`<url>/unsubscribe/<key id>.<whom>.<signature>`: whom is the user, the channel and the topic, in base64 of JSON; the
signature is HMAC-SHA256 of key id and whom, cut to 128 bits. A link holds as long as its key is in the configuration:
the first key signs, all of them verify, so a new one is put first and the old one stays as long as old mails count.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping

import msgspec

from kairos.adapters.channels.options import ChannelSettingsError, checked_url
from kairos.adapters.channels.secret import Secret
from kairos.adapters.decoding import UnreadableError, decoder

PATH = "/unsubscribe/"
MOST = 4_096
"""Characters of a token that are looked at."""
SHORTEST_KEY = 16
"""Bytes."""
_SIGNATURE_BYTES = 16
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Leaving(msgspec.Struct, frozen=True, array_like=True):
    """Who leaves what. `topic` null: the activity has none, and the channel is meant."""

    user_id: str
    channel: str
    topic: str | None = None


class LinkError(Exception):
    """This is no link that we have signed."""


_leaving = decoder(Leaving)


class Links:
    """`url`: where the callbacks server is reached from outside. `keys`: by id, the first one signs."""

    def __init__(self, url: str, keys: Mapping[str, Secret], place: str) -> None:
        """Raises ChannelSettingsError."""
        self._url = checked_url(url, f"{place}.url") + PATH
        if not keys:
            raise ChannelSettingsError(f"{place}.keys: at least one is needed: {{k1: {{env: NAME}}}}")
        for name, key in keys.items():
            if not _KEY_ID.fullmatch(name):
                raise ChannelSettingsError(f"{place}.keys: '{name}' is no id; expected letters and digits")
            if len(key.reveal().encode()) < SHORTEST_KEY:
                raise ChannelSettingsError(f"{place}.keys.{name}: expected at least {SHORTEST_KEY} bytes")
        self._keys = {name: key.reveal().encode() for name, key in keys.items()}
        self._first = next(iter(keys))

    def link(self, leaving: Leaving) -> str:
        signed = f"{self._first}.{_text(msgspec.json.encode(leaving))}"
        return f"{self._url}{signed}.{_text(_signature(self._keys[self._first], signed))}"

    def read(self, token: str) -> Leaving:
        """What stands behind PATH in a link. Raises LinkError."""
        signed, _, signature = token.rpartition(".")
        name, _, whom = signed.partition(".")
        key = self._keys.get(name)
        if len(token) > MOST or key is None:
            raise LinkError
        try:
            given, content = _bytes(signature), _bytes(whom)
        except (binascii.Error, ValueError):
            raise LinkError from None
        if not hmac.compare_digest(_signature(key, signed), given):
            raise LinkError
        try:
            return _leaving(content)
        except UnreadableError:
            raise LinkError from None


def _signature(key: bytes, signed: str) -> bytes:
    return hmac.digest(key, b"kairos-unsubscribe." + signed.encode(), hashlib.sha256)[:_SIGNATURE_BYTES]


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
