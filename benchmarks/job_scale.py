"""Two one-slot TaskManagers against one, on a standalone cluster on this machine:
`python -m benchmarks.job_scale [--quick | --write]`.

100 rules, the past from a Kafka topic of two partitions. Beside the rate stands how many of the machine's cores were
busy with everything that runs on it: where one TaskManager leaves less than a core, a second cannot double the rate.
"""

from __future__ import annotations

import os
import platform
import tempfile
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.job_run import (
    EVALUATE,
    Watched,
    arguments,
    events,
    kafka,
    overrides,
    past,
    patterns,
    produce,
    write_rules,
)
from benchmarks.page import PAGE, note
from benchmarks.results import Result, at_least, record
from kairos.apps.cluster import Cluster, ClusterSettings, load_settings
from kairos.apps.cluster.job import Jobs
from kairos.apps.cluster.package import package_code
from tests.conftest import free_ports

RULES = 100
USERS = 50_000


class Measured(NamedTuple):
    """Events a second; how many cores were busy meanwhile, all in all and with the TaskManagers."""

    taskmanagers: int
    rate: float
    busy: float
    working: float


class Bench:
    def __init__(self, count: int, bootstrap: str, folder: Path) -> None:
        self._count = count
        self._bootstrap = bootstrap
        self._folder = folder
        self._rules = write_rules(folder / "rules", [pattern.yaml() for pattern in patterns(RULES)])
        self._options = folder / "config.yaml"
        self._options.write_text(f"{load_settings().options.read_text()}\nmetrics.fetcher.update-interval: 250 ms\n")
        produce(bootstrap, events(count, USERS))
        package_code()

    def measure(self, taskmanagers: int) -> Measured:
        rest, rpc = free_ports(2)
        settings = ClusterSettings(
            folder=self._folder / f"cluster{taskmanagers}",
            rest_port=rest,
            rpc_port=rpc,
            taskmanagers=taskmanagers,
            options=self._options,
        )
        cluster = Cluster(settings)
        cluster.up()
        try:
            return self._run(cluster, taskmanagers)
        finally:
            cluster.down()

    def _run(self, cluster: Cluster, taskmanagers: int) -> Measured:
        settings = past(self._bootstrap, self._folder, f"with{taskmanagers}", self._rules)
        settings |= {"job.parallelism": taskmanagers, "state.backend": "rocksdb"}
        own = {key: value for key, value in settings.items() if not key.startswith("flink.")}
        Jobs(cluster).submit(["--conf", "conf/cluster.yaml", *overrides(own)])
        watched = Watched(cluster.settings.rest_port, lambda: None)
        watched.until(EVALUATE, self._count // 10)
        pids = [row.pid for row in cluster.status() if row.name.startswith("taskmanager")]
        workers = [psutil.Process(pid) for pid in pids if pid is not None]
        psutil.cpu_percent()
        before = sum(spent(worker) for worker in workers)
        (began, first), *_, (ended, last) = watched.samples(EVALUATE, self._count * 9 // 10)[1:]
        working = (sum(spent(worker) for worker in workers) - before) / (ended - began)
        busy = psutil.cpu_percent() / 100 * (os.cpu_count() or 1)
        return Measured(taskmanagers, (last - first) / (ended - began), busy, working)


def spent(process: psutil.Process) -> float:
    """Processor seconds, children included."""
    return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)])


def run(count: int, folder: Path) -> list[Measured]:
    with kafka(folder) as bootstrap:
        bench = Bench(count, bootstrap, folder)
        return [bench.measure(taskmanagers) for taskmanagers in (1, 2)]


def results(one: Measured, two: Measured) -> list[Result]:
    return [at_least("job, two one-slot TaskManagers against one, events/s", two.rate, one.rate, 1.6)]


def table(measured: list[Measured]) -> str:
    cores = os.cpu_count()
    rows = [
        f"{RULES} rules on RocksDB; Python {platform.python_version()}, {cores} cores with Kafka on them, load "
        f"{os.getloadavg()[0]:.1f} when it ended:",
        "",
        f"| TaskManagers | events/s | against one | busy cores of {cores} | of these the TaskManagers |",
        "|---|---|---|---|---|",
    ]
    for each in measured:
        against = each.rate / measured[0].rate
        rows.append(
            f"| {each.taskmanagers} | {each.rate:,.0f} | {against:.2f}x | {each.busy:.2f} | {each.working:.2f} |"
        )
    return "\n".join(rows)


def main() -> None:
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        measured = run(20_000 if options.quick else 600_000, Path(name))
    text = table(measured)
    print(text)
    if options.write:
        record(results(*measured))
        PAGE.write_text(note(PAGE.read_text(), "benchmarks.job_scale", text))


if __name__ == "__main__":
    main()
