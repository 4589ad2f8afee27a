"""The section `kafka` of a configuration: where Kafka is, and which topics the job reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from kairos.adapters.settings.file import SettingsError, convert, read
from kairos.engine.topics import read_by_job


class KafkaAddress(msgspec.Struct, frozen=True):
    """What every process needs of the section `kafka`; its other keys are the job's own.

    `events`: pattern of the topics that the job reads; None: events and the receipts under `prefix`.
    """

    bootstrap: str
    prefix: str = ""
    create_topics: int = 2
    properties: dict[str, str] = {}
    events: str | None = None

    @property
    def reads(self) -> str:
        """The pattern of the topics that the job reads."""
        return read_by_job(self.prefix) if self.events is None else self.events


class _Section(msgspec.Struct, frozen=True):
    kafka: KafkaAddress | None = None


def load(path: Path, overrides: Iterable[str] = ()) -> KafkaAddress:
    """Of a configuration, whose other sections are left alone. Raises SettingsError."""
    found = convert(read(path, overrides), _Section, path).kafka
    if found is None:
        raise SettingsError(f"{path}: a section 'kafka' is needed")
    return found
