"""Where the local stack listens and keeps its data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

CONF = Path("conf/stack.yaml")
DATABASE = "kairos"
"""Name of the database, and of its only user and that user's password: the server listens on loopback alone."""


class StackError(Exception):
    """What could not be done, where, and what to do about it: a message for people."""


def data_folder() -> Path:
    """The project's ignored folder for everything written: KAIROS_DATA, by default `.kairos`."""
    return Path(os.environ.get("KAIROS_DATA", ".kairos")).absolute()


class StackSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`folder`: data, logs and pid files of all services. `jars`: the folder with `kafka/*.jar`."""

    host: str = "127.0.0.1"
    kafka_port: int = 19092
    kafka_controller_port: int = 19093
    redis_port: int = 16379
    mariadb_port: int = 13306
    folder: Path = msgspec.field(default_factory=lambda: data_folder() / "stack")
    jars: Path = msgspec.field(default_factory=lambda: data_folder() / "jars")

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return f"{self.host}:{self.kafka_port}"

    @property
    def redis_url(self) -> str:
        return f"redis://{self.host}:{self.redis_port}/0"

    @property
    def mysql_url(self) -> str:
        """As SQLAlchemy takes it."""
        return f"mysql+pymysql://{DATABASE}:{DATABASE}@{self.host}:{self.mariadb_port}/{DATABASE}"


def load_settings(path: Path = CONF, environment: Mapping[str, str] = os.environ) -> StackSettings:
    """The file (all keys optional; no file: defaults), then the environment. Raises StackError."""
    values: dict[str, object] = {}
    try:
        if path.exists():
            values = YAML(typ="safe").load(path) or {}
    except YAMLError as error:
        raise StackError(f"{path}: not YAML: {error}") from None
    for field in StackSettings.__struct_fields__:
        given = environment.get(f"KAIROS_STACK_{field.upper()}")
        if given is not None:
            values[field] = given
    try:
        return msgspec.convert(values, StackSettings, strict=False)
    except msgspec.ValidationError as error:
        raise StackError(f"{path} (or KAIROS_STACK_... in the environment): {error}") from None
