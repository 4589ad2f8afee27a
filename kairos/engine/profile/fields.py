"""What the fields of a profile may hold: those with a meaning of their own, and those that profile.yaml declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kairos.engine.channel import ADDRESS_FIELD, ADDRESSES
from kairos.engine.profile.consent import NAMES, names_in
from kairos.engine.profile.topics import FIELD, problem_of_consents
from kairos.engine.profile.zone import zone_named
from kairos.engine.source.schema import FITS, SAID, mistaken_unit

SCORE = "score_"
"""What a field with a score begins with."""
LISTS = ("crowds", "lists", "unsubscribed", "dead_addresses")
OWN_FIELDS = {
    "timezone": "string",
    **dict.fromkeys(ADDRESS_FIELD.values(), "string"),
    **dict.fromkeys(LISTS, "list"),
    FIELD: "object",
}
"""Fields with a meaning of their own, and their types."""


def problem_of(field: str, value: Any, declared: Mapping[str, str] | None = None) -> str:
    """What is wrong with the value of a field; "": nothing. `declared`: the types of profile.yaml."""
    if field == "timezone":
        good = isinstance(value, str) and zone_named(value) is not None
        return "" if good else "a time zone such as Asia/Shanghai is expected"
    if field == FIELD:
        return problem_of_consents(value)
    if field in NAMES and isinstance(value, list) and names_in(field, value) is None:
        return f"a list of names is expected, of {', '.join(NAMES[field])}"
    if field in LISTS:
        names = isinstance(value, list) and all(isinstance(name, str) for name in value)
        return "" if names else "a list of names is expected"
    type_ = "string" if field in ADDRESSES else (declared or {}).get(field)
    if type_ is None or FITS[type_](value):
        return ""
    return f"{SAID[type_]} is expected{mistaken_unit(type_, value)}"
