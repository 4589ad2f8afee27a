"""The processes of a standalone cluster."""

from __future__ import annotations

from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import msgspec

from kairos.apps.cluster.home import Home
from kairos.apps.cluster.settings import ClusterSettings
from kairos.apps.native.service import NotReady


def ask(settings: ClusterSettings, path: str) -> dict[str, object]:
    """GET of the REST interface. Raises NotReady."""
    try:
        with urlopen(settings.rest + path, timeout=5) as response:
            found: dict[str, object] = msgspec.json.decode(response.read(), type=dict[str, object])
    except (OSError, HTTPException, msgspec.DecodeError) as error:
        raise NotReady(f"{settings.rest}: {error}") from None
    return found


class JobManager:
    name = "jobmanager"

    def __init__(self, settings: ClusterSettings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self.address = settings.rest
        self.ports: Sequence[int] = (settings.rest_port, settings.rpc_port)
        # Relative paths of a job's configuration mean the same to all processes.
        self.folder = Path.cwd()

    def prepare(self) -> None:
        self._home.make()

    def command(self) -> list[str]:
        return [self._home.script("jobmanager.sh"), "start-foreground"]

    def environment(self) -> dict[str, str]:
        return self._home.environment()

    def check(self) -> str:
        overview = ask(self._settings, "/overview")
        return f"Flink {overview['flink-version']}, {overview['jobs-running']} jobs running"


class TaskManager:
    """Ready when the JobManager knows it: each is found by the resource id that it was started with."""

    ports: Sequence[int] = ()

    def __init__(self, settings: ClusterSettings, home: Home, number: int) -> None:
        self._settings = settings
        self._home = home
        self.name = f"taskmanager-{number}"
        self.address = f"-> {settings.host}:{settings.rpc_port}"
        # Relative paths of a job's configuration mean the same to all processes.
        self.folder = Path.cwd()

    def prepare(self) -> None:
        pass

    def command(self) -> list[str]:
        script = self._home.script("taskmanager.sh")
        return [script, "start-foreground", "-D", f"taskmanager.resource-id={self.name}"]

    def environment(self) -> dict[str, str]:
        return self._home.environment()

    def check(self) -> str:
        found = ask(self._settings, "/taskmanagers")["taskmanagers"]
        for each in found if isinstance(found, list) else []:
            if each["id"] == self.name and each["slotsNumber"]:
                return f"{each['freeSlots']} of {each['slotsNumber']} slots free"
        raise NotReady(f"{self._settings.rest} does not know {self.name}")
