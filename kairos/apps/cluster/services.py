"""The processes of a standalone cluster."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec

from kairos.apps.cluster.home import Home
from kairos.apps.cluster.settings import ClusterSettings
from kairos.apps.native.service import NotReady

TICK_MS = 1_000
"""ZooKeeper's unit of time: a session lasts between 2 and 20 of these."""


def ask(settings: ClusterSettings, path: str) -> dict[str, object]:
    """GET of the REST interface of the first JobManager that answers. Raises NotReady."""
    return _first(settings, path, None)


def order(settings: ClusterSettings, path: str, body: Mapping[str, object]) -> dict[str, object]:
    """POST, as `ask`. Raises NotReady where none answers, or it refuses."""
    return _first(settings, path, msgspec.json.encode(body))


def cancel(settings: ClusterSettings, path: str) -> dict[str, object]:
    """PATCH, which ends a job, as `order`."""
    return _first(settings, path, None, "PATCH")


def _first(settings: ClusterSettings, path: str, body: bytes | None, method: str | None = None) -> dict[str, object]:
    problems = []
    for port in settings.rest_ports:
        try:
            return ask_one(settings.rest(port), path, body, method)
        except NotReady as error:
            problems.append(str(error))
    raise NotReady("; ".join(problems))


def ask_one(address: str, path: str, body: bytes | None = None, method: str | None = None) -> dict[str, object]:
    """One JobManager's REST interface. No `method`: GET, or POST where there is a body. Raises NotReady."""
    request = Request(address + path, body, {"content-type": "application/json"}, method=method)
    try:
        with urlopen(request, timeout=5) as response:
            found: dict[str, object] = msgspec.json.decode(response.read(), type=dict[str, object])
    except HTTPError as error:
        raise NotReady(f"{address}: {error}: {error.read().decode('utf-8', 'replace')[:500]}") from None
    except (OSError, HTTPException, msgspec.DecodeError) as error:
        raise NotReady(f"{address}: {error}") from None
    return found


class ZooKeeper:
    """The one that comes with Flink. It keeps who leads, and where each job's checkpoints are."""

    name = "zookeeper"

    def __init__(self, settings: ClusterSettings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self.address = settings.zookeeper
        self.ports: Sequence[int] = (settings.zookeeper_port,)
        self.folder = settings.folder / self.name

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "tickTime": TICK_MS,
            "dataDir": self.folder,
            "clientPort": self._settings.zookeeper_port,
            "clientPortAddress": self._settings.host,
            "admin.enableServer": "false",
            "4lw.commands.whitelist": "ruok",
        }
        self._home.zookeeper.write_text("".join(f"{key}={value}\n" for key, value in options.items()))

    def command(self) -> list[str]:
        words = ["--zkConfigFile", str(self._home.zookeeper), "--peerId", "1"]
        return [self._home.script("flink-console.sh"), "zookeeper", *words]

    def environment(self) -> dict[str, str]:
        return {**self._home.environment(), "JVM_ARGS": "-Xmx128m"}

    def check(self) -> str:
        try:
            with socket.create_connection(
                (self._settings.host, self._settings.zookeeper_port), timeout=2
            ) as connection:
                connection.settimeout(2)
                connection.sendall(b"ruok")
                said = connection.recv(4)
        except OSError as error:
            raise NotReady(str(error)) from None
        if said != b"imok":
            raise NotReady(f"it says {said!r}")
        return ""


class JobManager:
    """Alone, or one of two of which one leads."""

    def __init__(self, settings: ClusterSettings, home: Home, name: str, rest_port: int) -> None:
        self._home = home
        self._rest_port = rest_port
        self.name = name
        self.address = settings.rest(rest_port)
        self.ports: Sequence[int] = (rest_port,) if settings.standby else (rest_port, settings.rpc_port)
        # Relative paths of a job's configuration mean the same to all processes.
        self.folder = Path.cwd()

    def prepare(self) -> None:
        pass

    def command(self) -> list[str]:
        return [self._home.script("jobmanager.sh"), "start-foreground", "-D", f"rest.port={self._rest_port}"]

    def environment(self) -> dict[str, str]:
        return self._home.environment()

    def check(self) -> str:
        overview = ask_one(self.address, "/overview")
        return f"Flink {overview['flink-version']}, {overview['jobs-running']} jobs running"


class TaskManager:
    """Ready when the JobManager knows it: each is found by the resource id that it was started with."""

    ports: Sequence[int] = ()

    def __init__(self, settings: ClusterSettings, home: Home, name: str) -> None:
        self._settings = settings
        self._home = home
        self.name = name
        leader = settings.zookeeper if settings.standby else f"{settings.host}:{settings.rpc_port}"
        self.address = f"-> {leader}"
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
        raise NotReady(f"the JobManager does not know {self.name}")
