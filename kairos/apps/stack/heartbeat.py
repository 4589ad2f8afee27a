"""`kairos heartbeat` as a service of the stack."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kairos.apps.native.service import NotReady
from kairos.apps.stack.settings import StackSettings

SILENT_SECONDS = 5.0


class HeartbeatService:
    name = "heartbeat"

    def __init__(self, settings: StackSettings) -> None:
        self.address = f"-> {settings.kafka}"
        self.ports: Sequence[int] = (settings.heartbeat_port,) if settings.heartbeat_port else ()
        self.folder: Path = settings.folder / self.name
        self._kafka = settings.kafka
        port = settings.heartbeat_port
        self._status = ["--status", f"{settings.host}:{port}"] if port else []
        self._beat = self.folder / "beat"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._beat.unlink(missing_ok=True)

    def command(self) -> list[str]:
        words = ["--kafka", self._kafka, "--note", str(self._beat), *self._status]
        return [sys.executable, "-m", "kairos", "heartbeat", *words]

    def environment(self) -> dict[str, str]:
        return {}

    def check(self) -> str:
        """The process leaves a note after each complete round."""
        try:
            note, age = self._beat.read_text(), time.time() - self._beat.stat().st_mtime
        except FileNotFoundError:
            raise NotReady("no round of heartbeats yet") from None
        if age > SILENT_SECONDS:
            raise NotReady(f"last round {age:.0f} s ago")
        return note
