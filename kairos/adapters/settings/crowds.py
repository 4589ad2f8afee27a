"""What a configuration says to those who build crowds: where the job looks, and which Kafka it reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from kairos.adapters.settings.file import convert, full_store, read, substitute
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.adapters.settings.warehouse import Warehouse


class _Profiles(msgspec.Struct, frozen=True):
    redis: str | None = None


class _Rules(msgspec.Struct, frozen=True):
    store: str = "rules"


class Crowds(msgspec.Struct, frozen=True):
    """The parts of the job's sections that matter here; other keys are its own."""

    profiles: _Profiles = _Profiles()
    rules: _Rules = _Rules()
    kafka: KafkaAddress | None = None
    warehouse: Warehouse | None = None


def load(path: Path, overrides: Iterable[str] = ()) -> Crowds:
    """Raises SettingsError."""
    found = convert(substitute(read(path, overrides)), Crowds, path)
    return msgspec.structs.replace(found, rules=_Rules(full_store(found.rules.store)))
