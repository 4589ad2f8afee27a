"""Where a user is reached, as the profile has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kairos.engine.channel import ADDRESS_FIELD
from kairos.engine.profile.consent import has_opted_out


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


def reachable(profile: Mapping[str, Any] | None, channel: str, check_address: bool, service: bool = False) -> bool:
    """Whether a message on this channel may arrive; without a profile source every address is taken to be there.

    `service`: it is no marketing, which is what one opts out of.
    """
    if not service and has_opted_out(profile, channel):
        return False
    if not check_address or channel not in ADDRESS_FIELD:
        return True
    address = address_of(profile, channel)
    return address is not None and not is_dead(profile, address)
