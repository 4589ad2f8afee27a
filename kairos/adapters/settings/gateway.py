"""The section `gateway` of a configuration, and what the gateway reads of the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.channels.secret import resolve
from kairos.adapters.settings.file import Duration, SettingsError, convert, full_store, read
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.adapters.sources.port import MAX_PRIORITY, PRIORITY, Access, key_hash
from kairos.engine.strict_json import MAX_BYTES


class AccessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a source of a rule folder is reached: `keys` and `hmac` are references, `{env: NAME}` or `{file: PATH}`."""

    keys: list[Any] = []
    hmac: Any = None
    rate: float | None = None
    max_bytes: int = MAX_BYTES
    priority: int = PRIORITY


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sources`: a rule folder or the address of a database; default: the job's `sources.store`, or else
    the rule store. `access`: for a folder, whose sources have no keys of their own (AccessSettings). `max_body`: bytes
    of one request; `memory`: of all together. `connections`: at once. `grpc_port`: None: HTTP only.
    `slow`: from when on, by what every request takes, sources are refused by their priority."""

    host: str = "127.0.0.1"
    port: int = 8080
    sources: str | None = None
    access: dict[str, dict[str, Any]] = {}
    max_body: int = 4_000_000
    memory: int = 64_000_000
    connections: int = 1_000
    grpc_port: int | None = None
    slow: Duration = Duration(250)


class Rules(msgspec.Struct, frozen=True):
    store: str = "rules"


class Profiles(msgspec.Struct, frozen=True):
    redis: str | None = None


class JobSources(msgspec.Struct, frozen=True):
    """The section `sources`: the database that the job checks events against."""

    store: str | None = None


class SourcesConf(msgspec.Struct, frozen=True):
    """Where sources are kept. `place`: the file, for messages."""

    gateway: GatewaySettings = GatewaySettings()
    job_sources: JobSources = msgspec.field(default=JobSources(), name="sources")
    rules: Rules = Rules()
    place: str = ""

    @property
    def said(self) -> str:
        """As the configuration says it."""
        return self.gateway.sources or self.job_sources.store or self.rules.store

    @property
    def sources(self) -> str:
        return full_store(self.said)

    @property
    def in_database(self) -> bool:
        """Else they are those of a rule folder, and changed there."""
        return "://" in self.sources


class Conf(SourcesConf, frozen=True, kw_only=True):
    """What the gateway reads."""

    kafka: KafkaAddress
    profiles: Profiles = Profiles()


def load_sources(path: Path) -> SourcesConf:
    """Raises SettingsError."""
    return convert({**read(path), "place": str(path)}, SourcesConf, path)


def load(path: Path, overrides: Iterable[str] = ()) -> Conf:
    """Raises SettingsError."""
    document = read(path, overrides)
    if not isinstance(document.get("kafka"), dict):
        raise SettingsError(f"{path}: a section 'kafka' is needed: events go there")
    conf = convert({**document, "place": str(path)}, Conf, path)
    if conf.gateway.access and conf.in_database:
        raise SettingsError(f"{path}: 'gateway.access' is for a rule folder; here `kairos source key` makes API keys")
    for name in ("max_body", "memory", "connections", "slow"):
        if getattr(conf.gateway, name) < 1:
            raise SettingsError(f"{path}: gateway.{name} must be more than 0")
    return conf


def access_of(settings: GatewaySettings, place: str) -> dict[str, Access]:
    """Keys are resolved here, once; of secrets that sign the reference is kept. Raises SettingsError."""
    return {name: _access(one, f"{place}: gateway.access.{name}") for name, one in settings.access.items()}


def _access(options: dict[str, Any], place: str) -> Access:
    settings = convert(options, AccessSettings, Path(place))
    if settings.rate is not None and settings.rate <= 0:
        raise SettingsError(f"{place}.rate must be above 0")
    if not 0 < settings.max_bytes <= MAX_BYTES:
        raise SettingsError(f"{place}.max_bytes must be from 1 to {MAX_BYTES}")
    if not 0 <= settings.priority <= MAX_PRIORITY:
        raise SettingsError(f"{place}.priority must be from 0 to {MAX_PRIORITY}")
    try:
        keys = tuple(key_hash(resolve(reference).reveal()) for reference in settings.keys)
        if settings.hmac is not None:
            resolve(settings.hmac)
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from None
    return Access(keys, settings.hmac, settings.rate, settings.max_bytes, settings.priority)
