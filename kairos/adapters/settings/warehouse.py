"""The section `warehouse` of a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from kairos.adapters.settings.file import Duration, SettingsError, convert, read


class Warehouse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`folder`: where it is. Of what follows Kafka: `group`, its consumer group; what has come is written every
    `interval`, or as soon as there are `rows`; profiles and ledger are read every `world`; `keep`: days that end more
    than this before the newest event are removed, 0s: none."""

    folder: str
    group: str = "kairos-warehouse"
    interval: Duration = Duration(30_000)
    rows: int = 100_000
    world: Duration = Duration(600_000)
    keep: Duration = Duration(0)


class _Section(msgspec.Struct, frozen=True):
    warehouse: Warehouse | None = None


def load(path: Path, overrides: Iterable[str] = ()) -> Warehouse | None:
    """The section, or None where the configuration has none. Raises SettingsError."""
    found = convert(read(path, overrides), _Section, path).warehouse
    if found is not None and found.rows < 1:
        raise SettingsError(f"{path}: warehouse.rows must be at least 1")
    return found
