"""One background process with a pid file and a log: start, stop, kill, and whether it is the one that was started.

A pid file outlives a crash and pids are used again, so the file holds the start time of the process as well.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

STOP_SECONDS = 30.0
"""How long a process may take to end after SIGTERM before it is killed."""
POLL_SECONDS = 0.1


class _PidFile(msgspec.Struct):
    pid: int
    started: float


@dataclass(frozen=True)
class Process:
    """`folder` holds `<name>.pid` and `<name>.log`."""

    name: str
    folder: Path

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def running(self) -> psutil.Process | None:
        """The live process, or None."""
        try:
            noted = msgspec.json.decode(self.pid_file.read_bytes(), type=_PidFile)
            process = psutil.Process(noted.pid)
            if abs(process.create_time() - noted.started) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                return process
        except (FileNotFoundError, msgspec.DecodeError, psutil.NoSuchProcess):
            pass
        return None

    def wanted(self) -> bool:
        """Whether it was started and nobody has stopped it since; it may have died."""
        return self.pid_file.exists()

    def start(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> psutil.Process:
        """Starts it in a session of its own, so that it outlives the terminal. The log before this one is `.log.1`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as log:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = psutil.Process(child.pid)
        content = msgspec.json.encode(_PidFile(child.pid, process.create_time()))
        temporary = self.pid_file.with_suffix(".pid.new")
        temporary.write_bytes(content)
        temporary.replace(self.pid_file)
        return process

    def stop(self, number: int = signal.SIGTERM, *, forget: bool = True) -> bool:
        """Ends it and waits until it is gone; killed when it does not go in time. False: it was not running.

        `forget` False: it stays wanted.
        """
        process = self.running()
        if process is not None:
            self._end(process, number)
        if forget:
            self.pid_file.unlink(missing_ok=True)
        return process is not None

    @staticmethod
    def _end(process: psutil.Process, number: int) -> None:
        try:
            process.resume()  # a frozen one would not hear of it
            process.send_signal(number)
            if not _ends(process):
                process.kill()
                _ends(process)
        except psutil.NoSuchProcess:
            pass

    def log_tail(self, lines: int = 15) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _ends(process: psutil.Process) -> bool:
    """Whether it is gone in time. A zombie is, too: its parent lives and does not ask for it."""
    limit = time.monotonic() + STOP_SECONDS
    while time.monotonic() < limit:
        try:
            process.wait(POLL_SECONDS)
            return True
        except psutil.TimeoutExpired:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
    return False


def port_holder(port: int) -> str | None:
    """Who listens on a TCP port of this machine ("redis-server (pid 71)"), or None where it is free."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            if connection.pid is None:
                return "another process"
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                continue
    return None
