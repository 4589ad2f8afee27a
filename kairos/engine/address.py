"""Where a user is reached, as the profile has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ADDRESS_FIELD = {"sms": "phone", "email": "email", "wechat": "wechat_openid", "push": "push_token"}
ADDRESSES = frozenset(ADDRESS_FIELD.values())
WAKES_NOBODY = frozenset({"webhook", "console", "file"})


def texts(profile: Mapping[str, Any] | None, field: str) -> Sequence[str]:
    """A list field of a profile; whatever else stands there is nobody's list."""
    value = profile.get(field) if profile is not None else None
    return value if isinstance(value, list | tuple) else ()


def address_of(profile: Mapping[str, Any] | None, channel: str) -> str | None:
    """Where this user is reached on a channel: text, or a number such as a phone's. None: not there, or none needed."""
    value = profile.get(ADDRESS_FIELD.get(channel, "")) if profile is not None else None
    return str(value) if type(value) in (str, int) and value != "" else None


def is_dead(profile: Mapping[str, Any] | None, address: str) -> bool:
    """Whether a provider has said that nothing reaches anybody there any more; delivery workers keep that list."""
    return any(str(known) == address for known in texts(profile, "dead_addresses"))


def reachable(profile: Mapping[str, Any] | None, channel: str, check_address: bool) -> bool:
    """Whether a message on this channel could arrive; without a profile source every address is taken to be there."""
    if channel in texts(profile, "unsubscribed"):
        return False
    if not check_address or channel not in ADDRESS_FIELD:
        return True
    address = address_of(profile, channel)
    return address is not None and not is_dead(profile, address)
