"""What the benchmarks of the job share: its settings, and a job as a process that is watched.

Counts come from Flink's REST interface, so that the job and its peers are measured alike.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import psutil

from jobs.progress import free_port

POLL_SECONDS = 0.25
"""As often as Flink is told to look itself."""
PATIENCE_SECONDS = 120.0
JOB = "jobs.marketing"


class Vertex(NamedTuple):
    """Where records are counted: the beginning of a vertex's name, the end of its metric's."""

    name: str
    metric: str


EVALUATE = Vertex("evaluate", "evaluate.numRecordsIn")


def past(bootstrap: str, topic: str, folder: Path, name: str, rules: Path) -> dict[str, object]:
    """The settings of a job that plays the topic from its beginning. `name`: its group, prefix and folder."""
    return {
        "kafka.bootstrap": bootstrap,
        "kafka.group": name,
        "kafka.prefix": f"{name}.",
        "kafka.events": re.escape(topic),
        "kafka.start": "earliest",
        "rules.store": rules,
        "profiles.redis": "null",
        "lease.store": "null",
        "state.checkpoints": folder / name,
        "state.interval": "2s",
        "job.log_dir": folder / "log",
        "job.heap": "2g",
        "flink.metrics.fetcher.update-interval": "250 ms",
    }


class Watched:
    """A job, seen through Flink's REST interface at this port. `running` raises RuntimeError when it has ended."""

    def __init__(self, port: int, running: Callable[[], None]) -> None:
        self._port = port
        self._running = running
        self._places: dict[Vertex, str] = {}

    def until(self, vertex: Vertex, count: int) -> float:
        """Waits for so many records; the time (monotonic seconds) at which they were seen. Raises RuntimeError."""
        return self.samples(vertex, count)[-1][0]

    def steady(self, vertex: Vertex, low: int, high: int) -> float:
        """Records a second from the `low`th to the `high`th."""
        samples = self.samples(vertex, high)
        from_low = next(number for number, sample in enumerate(samples) if sample[1] >= low)
        (began, first), (ended, last) = samples[min(from_low, len(samples) - 2)], samples[-1]
        return (last - first) / (ended - began)

    def samples(self, vertex: Vertex, count: int) -> list[tuple[float, int]]:
        """Whenever the count was seen to change, until it is `count`: in between it is as old as Flink likes."""
        found = [(time.monotonic(), 0)]
        while found[-1][1] < count:
            self._running()
            if time.monotonic() - found[-1][0] > PATIENCE_SECONDS:
                raise RuntimeError(f"the job stands still; it has read {found[-1][1]:,} records")
            time.sleep(POLL_SECONDS)
            read = self.read(vertex)
            if read != found[-1][1]:
                found.append((time.monotonic(), read))
        return found

    def read(self, vertex: Vertex) -> int:
        """How many records the vertex has read; 0 as long as it does not run."""
        try:
            if vertex not in self._places:
                self._places[vertex] = self._place(vertex)
            return int(self.ask(self._places[vertex])[0]["sum"])
        except (OSError, ValueError, LookupError, StopIteration):
            return 0

    def _place(self, vertex: Vertex) -> str:
        job = self.job()
        found = next(v["id"] for v in self.ask(job)["vertices"] if v["name"].startswith(vertex.name))
        base = f"{job}/vertices/{found}/subtasks/metrics"
        metric = next(m["id"] for m in self.ask(base) if m["id"].endswith(vertex.metric))
        return f"{base}?get={quote(metric)}"

    def job(self) -> str:
        """The path of the newest job. Raises OSError, LookupError."""
        jobs = self.ask("/jobs/overview")["jobs"]
        return f"/jobs/{sorted(jobs, key=itemgetter('start-time'))[-1]['jid']}"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
            return msgspec.json.decode(answer.read())


def memory_of(process: psutil.Process) -> int:
    """Bytes, of the JVM that it has started, too."""
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))


class JobRun(Watched):
    """A job on the mini-cluster in a process of its own, killed at the end of the `with`. `started`: monotonic s."""

    def __init__(self, module: str, settings: dict[str, object], output: Path, *arguments: str) -> None:
        port = free_port()
        super().__init__(port, self._alive)
        options = ["--conf", "conf/local.yaml", *overrides(settings | {"flink.rest.bind-port": port}), *arguments]
        self.started = time.monotonic()
        self._output = output
        with output.open("ab") as log:
            command = [sys.executable, "-m", module, *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> JobRun:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):  # it has ended by itself: what else was raised says why
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _alive(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"the job has ended:\n{self._output.read_text(errors='replace')[-3000:]}")


def overrides(settings: dict[str, object]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
