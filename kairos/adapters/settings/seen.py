"""What of a configuration the console looks at, of processes that need not be there."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kairos.adapters.settings.alarms import AlarmSettings
from kairos.adapters.settings.file import convert, read


class Files(msgspec.Struct, frozen=True):
    """`output`: the folder of an embedded run."""

    output: str | None = None


class Seen(msgspec.Struct, frozen=True):
    files: Files = Files()
    alarms: AlarmSettings = AlarmSettings()


def load(path: Path) -> Seen:
    """Raises SettingsError."""
    return convert(read(path), Seen, path)
