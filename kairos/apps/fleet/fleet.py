"""Workers, gateways, scheduler and whatever else is a command of `kairos`, as processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from kairos.apps.fleet.settings import FleetSettings, ProcessSettings
from kairos.apps.native.group import Group
from kairos.apps.native.service import ask_ready
from kairos.apps.native.settings import data_folder


class KairosProcess:
    """Runs the code and the environment that start it, in the working directory."""

    def __init__(self, settings: ProcessSettings) -> None:
        self.name = settings.name
        self.address = settings.ready
        self.ports: Sequence[int] = (int(settings.ready.rpartition(":")[2]),)
        self.folder = Path.cwd()
        self._run = settings.run

    def prepare(self) -> None:
        pass

    def command(self) -> list[str]:
        return [sys.executable, "-m", "kairos", *self._run]

    def environment(self) -> dict[str, str]:
        return {"KAIROS_DATA": str(data_folder())}

    def check(self) -> str:
        return ask_ready(self.address)


class Fleet(Group):
    def __init__(self, settings: FleetSettings) -> None:
        super().__init__(settings.folder, [KairosProcess(each) for each in settings.processes])
