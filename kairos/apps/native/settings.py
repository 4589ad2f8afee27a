"""Settings of what runs on this machine: a YAML file, and the environment over it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

Settings = TypeVar("Settings", bound=msgspec.Struct)


class ServiceError(Exception):
    """What could not be done, where, and what to do about it: a message for people."""


def data_folder() -> Path:
    """The project's ignored folder for everything written: KAIROS_DATA, by default `.kairos`."""
    return Path(os.environ.get("KAIROS_DATA", ".kairos")).absolute()


def load(kind: type[Settings], path: Path, prefix: str, environment: Mapping[str, str] = os.environ) -> Settings:
    """The file (no file, no key: defaults), then `<prefix>_<KEY>` of the environment. Raises ServiceError."""
    try:
        values = (YAML(typ="safe").load(path) or {}) if path.exists() else {}
    except YAMLError as error:
        raise ServiceError(f"{path}: not YAML: {error}") from None
    for field in kind.__struct_fields__:
        given = environment.get(f"{prefix}_{field.upper()}")
        if given is not None:
            values[field] = given
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ServiceError(f"{path} (or {prefix}_... in the environment): {error}") from None
