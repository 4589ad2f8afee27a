"""Settings of what runs on this machine: a YAML file, and the environment over it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from kairos.adapters.settings.file import SettingsError, convert, read
from kairos.errors import KairosError

Settings = TypeVar("Settings", bound=msgspec.Struct)


class ServiceError(KairosError):
    """What could not be done, where, and what to do about it: a message for people."""


def data_folder() -> Path:
    """The project's ignored folder for everything written: KAIROS_DATA, by default `.kairos`."""
    return Path(os.environ.get("KAIROS_DATA", ".kairos")).absolute()


def load(kind: type[Settings], path: Path, prefix: str, environment: Mapping[str, str] = os.environ) -> Settings:
    """The file (no file, no key: defaults), then `<prefix>_<KEY>` of the environment. Raises ServiceError."""
    named = {field: environment.get(f"{prefix}_{field.upper()}") for field in kind.__struct_fields__}
    given = {field: text for field, text in named.items() if text is not None}
    try:
        values = read(path) if path.exists() else {}
        return convert({**values, **given}, kind, path)
    except SettingsError as error:
        raise ServiceError(f"{error} (or {prefix}_... in the environment)") from None
