"""Profiles from a JSON file: `{"u1": {"level": 3, "timezone": "Asia/Shanghai", "crowds": ["staff"]}}`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

Profiles = dict[str, dict[str, Any]]

_LISTS = ("crowds", "lists", "unsubscribed", "dead_addresses")
_ADDRESSES = ("phone", "email", "wechat_openid", "push_token")
OWN_FIELDS = {"timezone": "string", **dict.fromkeys(_ADDRESSES, "string"), **dict.fromkeys(_LISTS, "list")}
"""Fields with a meaning of their own, and their types."""


class ProfileFileError(Exception):
    """The file is no table of profiles."""


def read_profiles(path: Path, report: Callable[[str], None]) -> Profiles:
    """User -> fields. Raises ProfileFileError and OSError.

    A field with a meaning of its own (time zone, lists, addresses) and an unusable value is reported and left out, as
    if the user had none.
    """
    content = path.read_bytes()
    try:
        table = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise ProfileFileError(f"not JSON: {error}") from None
    if not isinstance(table, dict):
        raise ProfileFileError("an object is expected, user id -> profile")
    profiles = {}
    for user, profile in table.items():
        if not isinstance(profile, dict):
            report(f"{user}: an object is expected; the user counts as unknown")
            continue
        profiles[user] = {field: value for field, value in profile.items() if _usable(user, field, value, report)}
    return profiles


def _usable(user: str, field: str, value: Any, report: Callable[[str], None]) -> bool:
    if value is None:
        return True
    problem = problem_of(field, value)
    if problem:
        report(f"{user}.{field}: {problem}; left out")
    return not problem


def problem_of(field: str, value: Any) -> str:
    """What is wrong with the value of a field that has a meaning of its own; "" with any other."""
    if field == "timezone":
        return "" if isinstance(value, str) and _is_zone(value) else "a time zone such as Asia/Shanghai is expected"
    if field in _LISTS:
        names = isinstance(value, list) and all(isinstance(name, str) for name in value)
        return "" if names else "a list of names is expected"
    if field in _ADDRESSES:
        return "" if isinstance(value, str) else "text is expected"
    return ""


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
