"""Addresses of people stay out of decision records: those are kept for long, and read by many."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from kairos.engine.channel import ADDRESSES

HIDDEN = "***"
LEAST = 6
"""Characters. A shorter text could be anything: it is masked where it is read from an address, not for being equal."""


def without_addresses(data: Mapping[str, Any], personal: Set[str], profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """`data`: values by name; `personal`: those that read an address of the profile. They are masked, and so is
    what equals one."""
    own = {str(value) for field in ADDRESSES if (value := (profile or {}).get(field)) is not None}
    own = {text for text in own if len(text) >= LEAST}
    return {name: mask(value) if name in personal or _holds(value, own) else value for name, value in data.items()}


def masked_profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Without addresses, but with the same answers to the question where somebody is reached."""
    own = {str(profile[field]) for field in ADDRESSES if field in profile}
    masked = {field: mask(value) if field in ADDRESSES else value for field, value in profile.items()}
    if isinstance(dead := profile.get("dead_addresses"), list | tuple):
        masked["dead_addresses"] = [mask(each) for each in dead if str(each) in own]
    return masked


def mask(value: Any) -> Any:
    """Texts and whole numbers, inside of lists and objects too; the last two characters tell one from another."""
    if isinstance(value, list):
        return [mask(element) for element in value]
    if isinstance(value, dict):
        return {name: mask(element) for name, element in value.items()}
    if type(value) not in (str, int):
        return value
    text = str(value)
    return HIDDEN + text[-2:] if len(text) >= LEAST else HIDDEN


def _holds(value: Any, addresses: set[str]) -> bool:
    if isinstance(value, list):
        return any(_holds(element, addresses) for element in value)
    if isinstance(value, dict):
        return any(_holds(element, addresses) for element in value.values())
    return type(value) in (str, int) and str(value) in addresses
