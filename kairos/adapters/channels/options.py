"""Options of a provider as the configuration writes them, into the typed struct beside the provider."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from kairos.adapters.channels.secret import Secret, resolve

T = TypeVar("T", bound=msgspec.Struct)


class ChannelSettingsError(Exception):
    """A provider cannot be opened with these options; the message names the key and what to write there."""


class Surroundings(NamedTuple):
    """What a provider gets beside its options. `timeout`: ms of one call. `now`: epoch ms. `place`: for messages."""

    timeout: int
    now: Callable[[], int]
    place: str


def decode(options: Mapping[str, Any], shape: type[T], place: str) -> T:
    """Secrets are resolved here. Raises ChannelSettingsError for an unknown or missing key or a wrong value."""
    fields = msgspec.structs.fields(shape)
    names = [field.name for field in fields]
    for key in options:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"valid keys: {', '.join(sorted(names)) or 'none'}"
            raise ChannelSettingsError(f"{place}: unknown key '{key}'; {hint}")
    missing = [field.name for field in fields if field.required and field.name not in options]
    if missing:
        raise ChannelSettingsError(f"{place}: without {' and '.join(missing)} it cannot be opened")
    try:
        return msgspec.convert(dict(options), shape, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$.")
        key = f".{where.rstrip('`')}" if where else ""
        raise ChannelSettingsError(f"{place}{key}: {text}") from None


_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f]")


def checked_url(url: str, key: str) -> str:
    """The URL without a slash at its end. Raises ChannelSettingsError: unencrypted only on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port is None or parts.port > 0 else None
    except ValueError:
        host = None
    if host is None or _NOT_IN_URLS.search(url) or parts.scheme not in ("http", "https"):
        raise ChannelSettingsError(f"{key}: '{url}' is not a URL; expected https://host/path")
    if parts.scheme == "http" and not is_loopback(host):
        raise ChannelSettingsError(f"{key}: 'http' is for servers on this machine only; write https://{parts.netloc}")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """By what is written there: no name but `localhost` is asked for."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _decode(kind: type, value: Any) -> Any:
    if kind is not Secret:
        raise NotImplementedError(kind)
    return resolve(value)
