"""A configuration: one YAML file of sections, overridden key by key from the command line, into typed structs.

Text may refer to the environment as `${NAME}` or `${NAME:-default}`; the substitution happens on values after parsing,
never on the YAML text. Durations are written as in the rules: `500ms 2s 10m 24h 7d`; 0s is allowed here.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kairos.errors import KairosError

T = TypeVar("T", bound=msgspec.Struct)


class SettingsError(KairosError):
    """The configuration cannot be used; the message names the file or key, and what to do."""


class Duration(int):
    """Milliseconds."""


PLAIN = (("flink",), ("kafka", "properties"))
"""Sections of options that are handed on as they are: dots belong to their keys, and every value is text."""


def read(path: Path, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """The document, overridden; references are still in it. Raises SettingsError."""
    try:
        document = deepcopy(_parsed(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: a mapping of sections is expected")
    for override in overrides:
        _override(document, override)
    for *sections, key in PLAIN:
        _texts(document.get(sections[0]) if sections else document, key)
    return document


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """Who asks a configuration at each request has read the same text before. Nobody changes what it gives. Raises
    YAMLError."""
    return YAML(typ="safe", pure=True).load(text)


def convert(document: Mapping[str, Any], shape: type[T], path: Path) -> T:
    """Raises SettingsError for an unknown key (of a struct that forbids them) or a wrong type."""
    check_keys(document, shape, "", str(path))
    try:
        return msgspec.convert(substitute(document), shape, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_readable(str(error))}") from None


def full_store(store: str) -> str:
    """A rule folder or the address of a store, the same from every working directory."""
    if store.startswith("sqlite:///"):
        return "sqlite:///" + str(Path(store.removeprefix("sqlite:///")).absolute())
    return store if "://" in store else str(Path(store).absolute())


def _override(document: dict[str, Any], override: str) -> None:
    """`section.key=value`; the value is read as a YAML value."""
    key, separator, text = override.partition("=")
    *sections, last = key.split(".") if key else [""]
    if not separator or not last:
        raise SettingsError(f"--set {override}: expected section.key=value")
    for plain in PLAIN:
        prefix = ".".join(plain) + "."
        if key.startswith(prefix):
            sections, last = list(plain), key.removeprefix(prefix)
    for section in sections:
        document = document.setdefault(section, {})
        if not isinstance(document, dict):
            raise SettingsError(f"--set {override}: '{section}' is not a section")
    try:
        document[last] = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise SettingsError(f"--set {override}: not a YAML value: {error}") from None


def _texts(section: Any, key: str) -> None:
    """`true` and `8081` need no quotes."""
    options = section.get(key) if isinstance(section, dict) else None
    if isinstance(options, dict):
        section[key] = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in options.items()}


def check_keys(document: Mapping[str, Any], shape: type[msgspec.Struct], place: str, file: str) -> None:
    """Every key that the structs do not have is an error, with the nearest one they have. Raises SettingsError."""
    hints = get_type_hints(shape)
    for key, value in document.items():
        if key not in hints and shape.__struct_config__.forbid_unknown_fields:
            near = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"valid keys: {', '.join(sorted(hints))}"
            raise SettingsError(f"{file}: unknown key '{place}{key}'; {hint}")
        kinds = (hints[key], *get_args(hints[key])) if key in hints else ()
        section = next((kind for kind in kinds if _is_struct(kind)), None)
        if section is not None and isinstance(value, dict):
            check_keys(value, section, f"{place}{key}.", file)


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def substitute(value: Any) -> Any:
    """With the environment's values in place of references. Raises SettingsError."""
    if isinstance(value, Mapping):
        return {key: substitute(item) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item) for item in value]
    return _REFERENCE.sub(_environment, value) if isinstance(value, str) else value


def _environment(reference: re.Match[str]) -> str:
    name, default = reference.groups()
    value = os.environ.get(name) or default
    if value is None:
        raise SettingsError(
            f"the environment variable {name} is not set, and the configuration gives no default for it"
        )
    return value


_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def _decode(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is not Duration:
        raise NotImplementedError(kind)
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a duration such as 500ms, 2s or 10m, not {value!r}")
    return Duration(int(match[1]) * _UNITS[match[2]])


def _readable(message: str) -> str:
    """msgspec's "... - at `$.kafka.group`" with the place first."""
    text, _, place = message.partition(" - at `$.")
    return f"{place.rstrip('`')}: {text}" if place else text
