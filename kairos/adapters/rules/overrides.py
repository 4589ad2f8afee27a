"""Single values of a rule folder replaced, before it is loaded: `policy.caps.marketing.rules.0.max` -> `2`."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kairos.engine.rule.load import Unreadable
from kairos.errors import KairosError

Files = dict[str, bytes | Unreadable]
Kind = Literal["activity", "journey"]

_FOLDERS: dict[Kind, str] = {"activity": "activities", "journey": "journeys"}


class OverrideError(KairosError):
    """The path leads to nothing, or the value is no YAML. Names the path."""


def with_overrides(files: Mapping[str, bytes | Unreadable], overrides: Mapping[str, str]) -> Files:
    """The files with each path set to its value, which is YAML: `2`, `5m`, `[sms]`.

    `activities.NAME.…` leads into that activity's file, `activity.…` too where there is only one, `journeys.NAME.…`
    into a journey's; `policy.…`, `metrics.…` and so on into the file of that name. What an activity says of its
    trigger may be named without `trigger`. All keys but the last must be there already; lint has its say on the last.
    Raises OverrideError.
    """
    changed = dict(files)
    for path, value in overrides.items():
        file, keys = _place(changed, path)
        content = changed[file]
        if isinstance(content, Unreadable):
            raise OverrideError(f"{path}: {file} {content.reason}")
        changed[file] = _with_value(content, path, keys, value)
    return changed


def _place(files: Mapping[str, bytes | Unreadable], path: str) -> tuple[str, list[str]]:
    first, *keys = path.split(".")
    if not keys or not all(keys):
        raise OverrideError(f"{path}: expected a path such as policy.caps.marketing.rules.0.max")
    if first in ("activities", "activity", "journeys"):
        kind: Kind = "journey" if first == "journeys" else "activity"
        folder, activities = _FOLDERS[kind], _named(files, kind)
        name = keys.pop(0) if first != "activity" else ""
        if first == "activity" and len(activities) == 1:
            (name,) = activities
        if name not in activities or not keys:
            raise OverrideError(f"{path}: names none of the {folder} {', '.join(sorted(activities))}")
        return activities[name], keys
    file = f"{first}.yaml"
    if file not in files:
        meant = next((folder for of, folder in _FOLDERS.items() if first in _named(files, of)), None)
        if meant is not None:
            raise OverrideError(f"{path}: there is no {file}; did you mean '{meant}.{path}'?")
        raise OverrideError(f"{path}: there is no {file}")
    return file, keys


def _named(files: Mapping[str, bytes | Unreadable], kind: Kind) -> dict[str, str]:
    """Names of all activities, or journeys -> their files."""
    found, folder = {}, f"{_FOLDERS[kind]}/"
    for file, content in files.items():
        if file.startswith(folder) and isinstance(content, bytes) and not file.endswith(".test.yaml"):
            document = _load(content, file)
            if isinstance(document, dict):
                found[str(document.get(kind))] = file
    return found


def _with_value(content: bytes, path: str, keys: list[str], value: str) -> bytes:
    document = _load(content, path)
    *way, last = keys
    if not way and isinstance(document, dict) and last not in document and last in (document.get("trigger") or {}):
        way = ["trigger"]
    place = document
    for key in way:
        place = _inside(place, key, path)
    new = _load(value.encode(), path)
    if isinstance(place, list):
        place[_index(place, last, path)] = new
    elif isinstance(place, dict):
        place[last] = new
    else:
        raise OverrideError(f"{path}: there is nothing in which '{last}' could stand")
    out = BytesIO()
    _yaml().dump(document, out)
    return out.getvalue()


def _inside(place: Any, key: str, path: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, key, path)]
    if not isinstance(place, dict) or key not in place:
        raise OverrideError(f"{path}: there is no '{key}'")
    return place[key]


def _index(place: list[Any], key: str, path: str) -> int:
    if not key.isdecimal() or int(key) >= len(place):
        raise OverrideError(f"{path}: there is no entry {key}; entries count from 0")
    return int(key)


def _load(content: bytes, path: str) -> Any:
    try:
        return _yaml().load(content)
    except YAMLError as error:
        raise OverrideError(f"{path}: {str(error).splitlines()[0]}") from None


def _yaml() -> YAML:
    """Keeps quotes and comments, so that only the one value differs."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml
