"""A Flink installation made of pip's, without touching it: its own configuration and library folder."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from ruamel.yaml import YAML

from kairos.apps.cluster.settings import ClusterSettings
from kairos.apps.native.settings import ServiceError


def distribution() -> Path:
    """pip's Flink: a whole distribution inside the package. Raises ServiceError."""
    spec = find_spec("pyflink")
    if spec is None or spec.origin is None:
        raise ServiceError("Flink is not installed in this environment; 'make setup' installs it")
    return Path(spec.origin).parent


class Home:
    """`make` leaves `conf/` and `lib/` in the cluster's folder; `environment` tells Flink's scripts about them."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._flink = distribution()
        self._conf = settings.folder / "conf"
        self._lib = settings.folder / "lib"
        self._log = settings.folder / "log"
        self.temporary = settings.folder / "tmp"
        self.zookeeper = self._conf / "zoo.cfg"

    def script(self, name: str) -> str:
        return str(self._flink / "bin" / name)

    def environment(self) -> dict[str, str]:
        """PATH as in an activated environment: the Python inside a TaskManager is found through it."""
        return {
            "FLINK_HOME": str(self._flink),
            "FLINK_CONF_DIR": str(self._conf),
            "FLINK_LIB_DIR": str(self._lib),
            "FLINK_LOG_DIR": str(self._log),
            "FLINK_PID_DIR": str(self.temporary),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        }

    def full_environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment()}

    def make(self) -> None:
        """Anew at every start of a whole cluster: it follows the options and the version. Raises ServiceError."""
        for folder in (self._conf, self._lib, self.temporary):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self._lib, self._log, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self._flink / "conf", self._conf)
        with (self._conf / "config.yaml").open("w") as stream:
            YAML().dump(self._options(), stream)
        for jar in self._jars():
            (self._lib / jar.name).symlink_to(jar)

    def _jars(self) -> list[Path]:
        """flink-python and the connector belong here and not into the job: a native library stays with the class loader
        that loaded it first, so a second job in the same TaskManager could not use Python.
        """
        connectors = sorted((self._settings.jars / "flink").glob("*.jar"))
        if not connectors:
            raise ServiceError(
                f"the Kafka connector is not in {self._settings.jars / 'flink'}; 'make setup' fetches it"
            )
        return [*(self._flink / "lib").glob("*.jar"), *(self._flink / "opt").glob("flink-python-*.jar"), *connectors]

    def _options(self) -> dict[str, object]:
        settings = self._settings
        try:
            options = dict(YAML(typ="safe").load(settings.options))
        except FileNotFoundError:
            raise ServiceError(f"Flink's options {settings.options.absolute()}: there is no such file") from None
        return options | {
            "jobmanager.rpc.address": settings.host,
            "jobmanager.rpc.port": settings.rpc_port,
            "jobmanager.bind-host": settings.host,
            "rest.address": settings.host,
            "rest.bind-address": settings.host,
            "taskmanager.host": settings.host,
            "taskmanager.bind-host": settings.host,
            "io.tmp.dirs": str(self.temporary),
            **(self._high_availability() if settings.standby else {"rest.port": settings.rest_port}),
        }

    def _high_availability(self) -> dict[str, object]:
        """A leader that died is given up when its session with ZooKeeper is over; Flink's own default is a minute."""
        return {
            "high-availability.type": "zookeeper",
            "high-availability.zookeeper.quorum": self._settings.zookeeper,
            "high-availability.zookeeper.client.session-timeout": "6 s",
            "high-availability.zookeeper.client.connection-timeout": "3 s",
            "high-availability.cluster-id": "/kairos",
            "high-availability.storageDir": (self._settings.folder / "high-availability").as_uri(),
        }
