"""What people and decisions are found by: user ids, hashes of addresses, devices, and the numbers of things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kairos.adapters.search.port import Entry
from kairos.adapters.warehouse.rows import hashed
from kairos.engine.channel import ADDRESSES

CLAIMS = ("device_id", "openid", "wechat_openid", "unionid", "phone", "email")
"""Props of events that say whose device, account or address it is, beside those of `identity` in sources.yaml."""
LONGEST = 100
"""Characters of a term. A text that is longer is no number of anything."""
MOST_TERMS = 20
_SHORTEST_NUMBER = 1_000


def person_entry(user_id: str, addresses: Iterable[str] = ()) -> Entry:
    """`addresses`: hashed."""
    return Entry("people", f"person\0{user_id}", user_id, 0, (user_id, *addresses), "user id")


def claim_entry(user_id: str, name: str, value: str) -> Entry:
    """That this device, account or address (in clear) is hers."""
    term = hashed(value) if _is_address(name) else value
    return Entry("people", f"claim\0{user_id}\0{name}\0{term}", user_id, 0, (user_id, term), name)


def decision_entry(row: Mapping[str, Any]) -> Entry:
    """`row`: of the warehouse's table `decisions`."""
    names = ("activity", "user_id", "occurrence", "attempt", "outcome")
    key = "\0".join(str(row[name]) for name in names)
    data = msgspec.json.decode(row["data"] or "{}")
    terms = (row["user_id"], row["occurrence"], *numbers_in(data))
    said = [row["activity"], row["outcome"], row["reason"] or row["channel"] or ""]
    return Entry("decisions", key, row["user_id"], row["at_ms"], terms[:MOST_TERMS], " ".join(filter(None, said)))


def numbers_in(data: Any) -> list[str]:
    """The values in what a rule computed that name one thing, such as an order: texts with a digit, and whole numbers
    that are no counts."""
    found: list[str] = []
    for value in data.values() if isinstance(data, dict) else data if isinstance(data, list) else [data]:
        if isinstance(value, dict | list):
            found += numbers_in(value)
        elif isinstance(value, str) and len(value) <= LONGEST and any(letter.isdigit() for letter in value):
            found.append(value)
        elif isinstance(value, int) and not isinstance(value, bool) and value >= _SHORTEST_NUMBER:
            found.append(str(value))
    return found


def asked_terms(text: str) -> list[str]:
    """What somebody types, as it may stand in a store: as it is, and as the hash of an address."""
    plain = text.strip()
    number = "".join(letter for letter in plain if letter not in " -()./")
    spellings = dict.fromkeys([plain, plain.lower(), number])
    return [*spellings, *(hashed(spelling) for spelling in spellings if spelling)]


def _is_address(name: str) -> bool:
    return name in ADDRESSES or name in ("openid", "unionid")
