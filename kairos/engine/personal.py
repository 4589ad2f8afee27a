"""Addresses of people stay out of decision records: those are kept for long, and read by many."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kairos.engine.expression import parse
from kairos.engine.gate.address import ADDRESS_FIELD

ADDRESSES = frozenset(ADDRESS_FIELD.values())
HIDDEN = "***"
LEAST = 6
"""Characters. A shorter text could be anything: it is masked where it is read from an address, not for being equal."""


def without_addresses(
    data: Mapping[str, Any], texts: Mapping[str, str], profile: Mapping[str, Any] | None
) -> dict[str, Any]:
    """`data`: values by name; `texts`: the expressions that they came of. What reads an address of the profile, or is
    equal to one, is masked."""
    own = {str(value) for field in ADDRESSES if (value := (profile or {}).get(field)) is not None}
    own = {text for text in own if len(text) >= LEAST}
    return {
        name: mask(value) if _reads_address(texts[name]) or _holds(value, own) else value
        for name, value in data.items()
    }


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


@lru_cache(maxsize=4096)
def _reads_address(text: str) -> bool:
    return not ADDRESSES.isdisjoint(parse(text).reads.profile)
