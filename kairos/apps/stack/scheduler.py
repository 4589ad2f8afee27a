"""`kairos scheduler` beside the stack: as `conf/local.yaml` of the working directory says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from kairos.adapters.settings.file import full_store, read, substitute
from kairos.apps.native.service import ask_ready
from kairos.apps.native.settings import ServiceError, data_folder
from kairos.apps.stack.settings import StackSettings

CONF = Path("conf/local.yaml")


class SchedulerService:
    name = "scheduler"

    def __init__(self, settings: StackSettings) -> None:
        self.ports: Sequence[int] = (settings.scheduler_port,)
        self.address = f"{settings.host}:{settings.scheduler_port}"
        self.folder: Path = settings.folder / self.name
        self._settings = settings

    def prepare(self) -> None:
        if not CONF.exists():
            raise ServiceError(f"the scheduler needs {CONF}, which says where rules and profiles are")
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        store = full_store(str(substitute(read(CONF, ())).get("rules", {}).get("store", "rules")))
        words = ["--conf", str(CONF.absolute()), "--set", f"rules.store={store}", "--status", self.address]
        return [sys.executable, "-m", "kairos", "scheduler", *words]

    def environment(self) -> dict[str, str]:
        """The ports that the configuration asks the environment for."""
        ports = ("kafka_port", "redis_port", "mariadb_port")
        known = {f"KAIROS_STACK_{port.upper()}": str(getattr(self._settings, port)) for port in ports}
        return {**known, "KAIROS_DATA": str(data_folder())}

    def check(self) -> str:
        return ask_ready(self.address)
