"""What a user allows, as the profile says it. The one reading of these fields, and it fails closed.

`unsubscribed` names channels, `lists` the lists `black` and `white`; each is a list of names. A single name, several in
one text, `true` or `yes` for all of them, and capital letters are understood. What cannot be read, or names something
that there is not, stands for no: no channel may be used, the user is on the black list and not on the white one. Nor
may a channel be used where `consents`, what was said of topics (topics.py), cannot be read as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kairos.engine.channel import CHANNELS
from kairos.engine.profile.topics import FIELD, are_lost

EVERY = "all"
LISTS = ("black", "white")
NAMES = {"unsubscribed": (*CHANNELS, EVERY), "lists": LISTS}
"""Field of a profile -> the names that it may have."""

UNREADABLE = "unreadable"
"""No name of either: stands in the list of a user of whom a table said something that nobody could read."""

_TRUTHS = {"": False, "false": False, **dict.fromkeys(("true", "yes", "y", "1", "on", "x"), True)}
_BETWEEN = re.compile(r"[\s,;|]+")


def field_meant(field: str) -> str:
    """`Unsubscribed` is `unsubscribed`: these fields are known whatever their capital letters and blanks."""
    plain = field.strip("\ufeff \t\r\n").lower()
    return plain if plain in NAMES or plain == FIELD else field


def names_in(field: str, value: Any) -> tuple[str, ...] | None:
    """The names that a value of `unsubscribed` or `lists` says; None: it cannot be read, or says an unknown one."""
    value = _TRUTHS.get(value.strip().lower(), value) if isinstance(value, str) else value
    if value is None or value is False:
        return ()
    if value is True or value == 1:
        value = EVERY
    found = ([name for name in _BETWEEN.split(value) if name] or None) if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(name, str) for name in found):
        return None
    names = tuple(name.strip().lower() for name in found)
    return names if all(name in NAMES[field] for name in names) else None


def has_opted_out(profile: Mapping[str, Any] | None, channel: str) -> bool:
    if profile is not None and are_lost(profile):
        return True
    value = profile.get("unsubscribed") if profile is not None else None
    if value is None:
        return False
    names = names_in("unsubscribed", value)
    return names is None or channel in names or EVERY in names


def is_listed(profile: Mapping[str, Any] | None, name: str) -> bool:
    """`name`: `black` or `white`."""
    value = profile.get("lists") if profile is not None else None
    if value is None:
        return False
    names = names_in("lists", value)
    return name == "black" if names is None else name in names


def unreadable(profile: Mapping[str, Any]) -> list[str]:
    """The fields that stand for no because nobody can read them."""
    lost = [name for name in NAMES if name in profile and names_in(name, profile[name]) is None]
    return [*lost, FIELD] if are_lost(profile) else lost
