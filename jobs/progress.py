"""How far a run is, asked of Flink's REST interface."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import msgspec

INTERVAL_SECONDS = 1.0
TIMEOUT_SECONDS = 2.0


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def tasks(port: int, job_id: str) -> list[dict[str, Any]]:
    """The job's vertices, as Flink tells them; none when it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/jobs/{job_id}", timeout=TIMEOUT_SECONDS) as answer:
            vertices: list[dict[str, Any]] = msgspec.json.decode(answer.read())["vertices"]
    except (OSError, ValueError, KeyError):
        return []
    return vertices


def at_work(port: int, job_id: str) -> bool:
    """Whether all its tasks run: a job that Flink calls running may have begun none, and has no savepoint then."""
    known = tasks(port, job_id)
    return bool(known) and all(task["status"] == "RUNNING" for task in known)


class Progress:
    """`show` says at most once a second how many of `total` rows the job has read, as far as Flink knows it."""

    def __init__(self, port: int, total: int, say: Callable[[str], None]) -> None:
        self._port = port
        self._total = total
        self._say = say
        self._next = time.monotonic() + INTERVAL_SECONDS
        self._shown = 0

    def show(self, job_id: str) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + INTERVAL_SECONDS
        read = self._read(job_id)
        if read > self._shown:
            self._shown = read
            self._say(f"{read:,} of {self._total:,} events")

    def _read(self, job_id: str) -> int:
        """What left the source; 0 when Flink does not tell."""
        sources = [task for task in tasks(self._port, job_id) if task["name"].startswith("Source: events")]
        return max((source["metrics"]["write-records"] for source in sources), default=0)
