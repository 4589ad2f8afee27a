"""Prometheus and Alertmanager, as `deploy/monitoring/` has them, for those who ask."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from kairos.apps.native.programs import program
from kairos.apps.native.service import NotReady
from kairos.apps.native.settings import ServiceError
from kairos.apps.stack.settings import StackSettings

SHIPPED = Path("deploy/monitoring")
SETUP = "make up-monitoring"


class PrometheusService:
    name = "prometheus"

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self.address = f"http://{settings.host}:{settings.prometheus_port}"
        self.ports: Sequence[int] = (settings.prometheus_port,)
        self.folder: Path = settings.folder / self.name

    def prepare(self) -> None:
        """Rules and targets anew at every start; what was scraped stays."""
        program("prometheus", SETUP)
        if not SHIPPED.is_dir():
            raise ServiceError(f"{SHIPPED.absolute()} is not there; start it from the project's folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHIPPED / "prometheus.yml", self.folder)
        for name in ("rules", "targets"):
            shutil.copytree(SHIPPED / name, self.folder / name, dirs_exist_ok=True)
        target = f'- targets: ["{self._settings.host}:{self._settings.alertmanager_port}"]\n'
        (self.folder / "targets" / "alertmanager.yml").write_text(target)

    def command(self) -> list[str]:
        return [
            program("prometheus", SETUP),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--storage.tsdb.retention.size=1GB",
            f"--web.listen-address={self._settings.host}:{self._settings.prometheus_port}",
        ]

    def environment(self) -> dict[str, str]:
        return {}

    def check(self) -> str:
        return _ready(self.address)


class AlertmanagerService:
    name = "alertmanager"

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self.address = f"http://{settings.host}:{settings.alertmanager_port}"
        self.ports: Sequence[int] = (settings.alertmanager_port,)
        self.folder: Path = settings.folder / self.name

    def prepare(self) -> None:
        program("prometheus-alertmanager", SETUP)
        if not SHIPPED.is_dir():
            raise ServiceError(f"{SHIPPED.absolute()} is not there; start it from the project's folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHIPPED / "alertmanager.yml", self.folder)

    def command(self) -> list[str]:
        return [
            program("prometheus-alertmanager", SETUP),
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            "--cluster.listen-address=",  # one alone: else it listens on all addresses for others
            f"--web.listen-address={self._settings.host}:{self._settings.alertmanager_port}",
        ]

    def environment(self) -> dict[str, str]:
        return {}

    def check(self) -> str:
        return _ready(self.address)


def _ready(address: str) -> str:
    try:
        with urllib.request.urlopen(f"{address}/-/ready", timeout=2) as answer:
            answer.read()
    except OSError as error:
        raise NotReady(str(error)) from None
    return ""
