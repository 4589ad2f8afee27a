"""The section `gateway` of a configuration, and what the gateway reads of the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.channels.secret import resolve
from kairos.adapters.kafka_client import KafkaAddress
from kairos.adapters.settings_file import SettingsError, convert, full_store, read
from kairos.adapters.sources import Access, key_hash
from kairos.engine.event import MAX_BYTES


class AccessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a source of a rule folder is reached: `keys` and `hmac` are references, `{env: NAME}` or `{file: PATH}`."""

    keys: list[Any] = []
    hmac: Any = None
    rate: float | None = None
    max_bytes: int = MAX_BYTES


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sources`: a rule folder or the address of a database; default: the job's `sources.store`, or else
    the rule store. `access`: for a folder, whose sources have no keys of their own (AccessSettings). `max_body`: bytes
    of one request; `memory`: of all together. `connections`: at once. `grpc_port`: None: HTTP only."""

    host: str = "127.0.0.1"
    port: int = 8080
    sources: str | None = None
    access: dict[str, dict[str, Any]] = {}
    max_body: int = 4_000_000
    memory: int = 64_000_000
    connections: int = 1_000
    grpc_port: int | None = None


class Rules(msgspec.Struct, frozen=True):
    store: str = "rules"


class Profiles(msgspec.Struct, frozen=True):
    redis: str | None = None


class JobSources(msgspec.Struct, frozen=True):
    """The section `sources`: the database that the job checks events against."""

    store: str | None = None


class Conf(msgspec.Struct, frozen=True):
    kafka: KafkaAddress
    gateway: GatewaySettings = GatewaySettings()
    job_sources: JobSources = msgspec.field(default=JobSources(), name="sources")
    rules: Rules = Rules()
    profiles: Profiles = Profiles()

    @property
    def sources(self) -> str:
        return full_store(self.gateway.sources or self.job_sources.store or self.rules.store)


def load(path: Path, overrides: Iterable[str] = ()) -> Conf:
    """Raises SettingsError."""
    document = read(path, overrides)
    if not isinstance(document.get("kafka"), dict):
        raise SettingsError(f"{path}: a section 'kafka' is needed: events go there")
    conf = convert(document, Conf, path)
    if conf.gateway.access and "://" in conf.sources:
        raise SettingsError(f"{path}: 'gateway.access' is for a rule folder; here `kairos source key` makes API keys")
    for name in ("max_body", "memory", "connections"):
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
    try:
        keys = tuple(key_hash(resolve(reference).reveal()) for reference in settings.keys)
        if settings.hmac is not None:
            resolve(settings.hmac)
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from None
    return Access(keys, settings.hmac, settings.rate, settings.max_bytes)
