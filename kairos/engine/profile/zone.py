"""Time zones by their IANA names, as profiles have them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo


@lru_cache(4096)
def zone_named(name: str) -> ZoneInfo | None:
    """None: there is no such zone. Looking for one that is not there reads files, so the answer is kept."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def own_zone(profile: Mapping[str, Any]) -> ZoneInfo | None:
    """The user's; None: the profile has none, or one that is none."""
    name = profile.get("timezone")
    return zone_named(name) if type(name) is str else None


def is_zone_lost(profile: Mapping[str, Any]) -> bool:
    """Whether the profile has a zone that nobody can read: where this user is nobody knows."""
    name = profile.get("timezone")
    return name is not None and name != "" and own_zone(profile) is None
