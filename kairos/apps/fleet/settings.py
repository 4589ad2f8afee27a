"""What a fleet is made of: `conf/fleet.yaml`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kairos.apps.native.settings import data_folder, load


class JobSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`conf` and `set`: as `kairos cluster submit` takes them. `savepoints`: a folder that all of the cluster reach."""

    conf: Path = Path("conf/cluster.yaml")
    set: list[str] = []
    savepoints: Path = msgspec.field(default_factory=lambda: data_folder() / "savepoints")

    @property
    def arguments(self) -> list[str]:
        return ["--conf", str(self.conf.absolute()), *(word for each in self.set for word in ("--set", each))]


class ProcessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`name`: of its pid file and log. `run`: words of the command `kairos`. `ready`: host:port of its `/ready`."""

    name: str
    run: list[str]
    ready: str


class FleetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`job`: the one on the standalone cluster; without it there is none. `processes`: in the order of an
    upgrade. `folder`: pid files, logs, and how far an upgrade has come.
    """

    job: JobSettings | None = None
    processes: list[ProcessSettings] = []
    folder: Path = msgspec.field(default_factory=lambda: data_folder() / "fleet")


def load_settings(path: Path) -> FleetSettings:
    """Raises ServiceError."""
    return load(FleetSettings, path, "KAIROS_FLEET")
