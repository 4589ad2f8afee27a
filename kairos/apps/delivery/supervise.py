"""Several channels: a process each, so that none can hold up another; one that ends is started again."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from kairos.apps.process import begin, on_stop
from kairos.apps.status.server import parse
from kairos.backoff import Backoff

BACKOFF_SECONDS = (1.0, 30.0)
LOOK_SECONDS = 0.2
STOP_SECONDS = 60.0


log = logging.getLogger(__name__)


class _Child:
    def __init__(self, channel: str, arguments: Sequence[str]) -> None:
        self.channel = channel
        self._command = [sys.executable, "-m", "kairos", "deliver", channel, *arguments]
        self._backoff = Backoff(*BACKOFF_SECONDS)
        self._again_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def look(self, now: float) -> None:
        """Starts it where it is not there; after each end a longer pause, unless it has lived for a good while."""
        if self.process is None and now >= self._again_at:
            self._started = now
            # In a session of its own: Ctrl-C reaches it once, through this process.
            self.process = subprocess.Popen(
                self._command, env={**os.environ, "KAIROS_SUPERVISED": "1"}, start_new_session=True
            )
        elif self.process is not None and self.process.poll() is not None:
            if now - self._started > BACKOFF_SECONDS[1]:
                self._backoff.reset()
            status, pause = self.process.returncode, self._backoff.pause()
            log.error("the worker of %s ended with %s; started again in %.0f s", self.channel, status, pause)
            self._again_at = now + pause
            self.process = None

    def end(self) -> int:
        """Its exit status."""
        if self.process is None:
            return 0
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.error("the worker of %s does not stop; killed", self.channel)
            self.process.kill()
            return self.process.wait()


def _status(first: str | None, number: int) -> list[str]:
    if first is None:
        return []
    host, port = parse(first)
    return ["--status", f"[{host}]:{port + number}" if ":" in host else f"{host}:{port + number}"]


def supervise(channels: Sequence[str], arguments: Sequence[str], status: str | None = None) -> int:
    """Until SIGTERM or SIGINT. 0: all ended in order, else 1. `arguments` of `kairos deliver` beside the channel.

    `status`: where the first worker tells of itself, the others at the ports after it. Raises SettingsError.
    """
    begin(part="deliver")
    stop = threading.Event()
    on_stop(stop.set)
    children = [_Child(channel, [*arguments, *_status(status, n)]) for n, channel in enumerate(channels)]
    while not stop.is_set():
        for child in children:
            child.look(time.monotonic())
        stop.wait(LOOK_SECONDS)
    for child in children:
        if child.process is not None and child.process.poll() is None:
            child.process.terminate()
    statuses = [child.end() for child in children]
    return 1 if any(statuses) else 0
