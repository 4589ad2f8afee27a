"""Profiles from a JSON file: `{"u1": {"level": 3, "timezone": "Asia/Shanghai", "crowds": ["staff"]}}`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kairos.engine.profile.consent import NAMES, field_meant, names_in
from kairos.engine.profile.fields import OWN_FIELDS, problem_of
from kairos.engine.profile.topics import FIELD
from kairos.engine.rule.text.report import nearest
from kairos.errors import KairosError

Profiles = dict[str, dict[str, Any]]

_FOR_THE_ENGINE = (*NAMES, FIELD, "timezone")


class ProfileFileError(KairosError):
    """The file is no table of profiles."""


def read_profiles(path: Path, report: Callable[[str], None], declared: Mapping[str, str] | None = None) -> Profiles:
    """User -> fields. Raises ProfileFileError and OSError. `declared`: what profile.yaml declares; None: there is none.

    A field with a meaning of its own (time zone, lists, addresses) and an odd value is reported. It is left out, as if
    the user had none; but consent and the time zone stay, for the engine reads them as those of a live profile.
    """
    table = decode_table(path.read_bytes())
    profiles: Profiles = {}
    strange: set[str] = set()
    for user, profile in table.items():
        if not isinstance(profile, dict):
            report(f"{user}: an object is expected; the user counts as unknown")
            continue
        profiles[user] = {}
        for name, value in profile.items():
            field = field_meant(name)
            if field != name:
                report(f"{user}.{name}: read as '{field}', which is its name")
            if field in profiles[user]:  # said twice: which of them is true nobody can say
                value = {field: "twice"}
            if field not in strange and (problem := _unread(field, declared)):
                report(f"{user}.{field}: {problem}")
                strange.add(field)
            if problem := "" if value is None else problem_of(field, value, declared):
                report(f"{user}.{field}: {problem}; {_meaning(field, value)}")
            if not problem or field in _FOR_THE_ENGINE:
                profiles[user][field] = value
    return profiles


def _unread(field: str, declared: Mapping[str, str] | None) -> str:
    """What is wrong with the name of a field; without profile.yaml only that it nearly is one about consent."""
    if field in OWN_FIELDS or field in (declared or ()):
        return ""
    hint = nearest(field, (*NAMES, FIELD) if declared is None else {*declared, *OWN_FIELDS})
    said = "nobody reads it" if declared is None else "not declared in profile.yaml, nobody reads it"
    return f"{said}; {hint}" if hint else said if declared is not None else ""


def decode_table(content: bytes) -> dict[str, Any]:
    """User -> what is said of the user. Raises ProfileFileError, also where a key occurs twice: one would be lost."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        table = msgspec.json.decode(content)
        json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ProfileFileError(f"not JSON: {error}") from None
    if not isinstance(table, dict):
        raise ProfileFileError("an object is expected, user id -> profile")
    return table


def _once(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise ProfileFileError(f"'{key}' occurs twice in the same object")
        seen.add(key)


def _meaning(field: str, value: Any) -> str:
    """What the engine makes of a value with a problem."""
    if field == FIELD:
        return "what cannot be read of it stands for no"
    if field == "timezone":
        return "the policy's stands in, and sends are marked as degraded"
    names = names_in(field, value) if field in NAMES else ()
    if names is None:
        return "it stands for no: no channel may be used" if field == "unsubscribed" else "it counts as the black list"
    return f"read as {', '.join(names) or 'none'}" if field in NAMES else "left out"
