"""Two one-slot TaskManagers against one, on a standalone cluster on this machine:
`python -m benchmarks.job.scale [--quick | --write]`.

100 rules, the past from a Kafka topic of two partitions. Beside the rate stands how many of the machine's cores were
busy with everything that runs on it: where one TaskManager leaves less than a core, a second cannot double the rate.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.kit.broker import backlog, kafka
from benchmarks.kit.command import arguments, report
from benchmarks.kit.job_run import EVALUATE, Watched, overrides, past
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, at_least
from benchmarks.kit.workload import events, rules_of, write_rules, yaml_of
from kairos.apps.cluster import Cluster, ClusterSettings, load_settings
from kairos.apps.cluster.job import Jobs
from kairos.apps.cluster.package import package_code
from kairos.apps.native.ports import free_ports

RULES = 100
USERS = 50_000
TOPIC = "past.scale"
WARM = 0.5
"""Of the events: two TaskManagers compile as much as one, each, and have read half as many when it begins to count."""


class Size(NamedTuple):
    events: int = 1_200_000
    taskmanagers: tuple[int, ...] = (1, 2)


QUICK = Size(40_000, (2,))


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
        self._rules = write_rules(folder / "rules", map(yaml_of, rules_of(RULES)))
        self._options = folder / "config.yaml"
        self._options.write_text(f"{load_settings().options.read_text()}\nmetrics.fetcher.update-interval: 250 ms\n")
        backlog(bootstrap, TOPIC, events(count, USERS))
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
        settings = past(self._bootstrap, TOPIC, self._folder, f"with{taskmanagers}", self._rules)
        settings |= {"job.parallelism": taskmanagers, "state.backend": "rocksdb"}
        own = {key: value for key, value in settings.items() if not key.startswith("flink.")}
        Jobs(cluster).submit(["--conf", "conf/cluster.yaml", *overrides(own)])
        watched = Watched(cluster.settings.rest_port, lambda: None)
        began, first = watched.samples(EVALUATE, int(self._count * WARM))[-1]
        pids = [row.pid for row in cluster.status() if row.name.startswith("taskmanager")]
        workers = [psutil.Process(pid) for pid in pids if pid is not None]
        psutil.cpu_percent()
        before = sum(spent(worker) for worker in workers)
        ended, last = watched.samples(EVALUATE, self._count * 9 // 10)[-1]
        working = (sum(spent(worker) for worker in workers) - before) / (ended - began)
        busy = psutil.cpu_percent() / 100 * (os.cpu_count() or 1)
        return Measured(taskmanagers, (last - first) / (ended - began), busy, working)


def spent(process: psutil.Process) -> float:
    """Processor seconds, children included."""
    return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)])


def run(size: Size, folder: Path) -> list[Measured]:
    with kafka(folder) as bootstrap:
        bench = Bench(size.events, bootstrap, folder)
        return [bench.measure(taskmanagers) for taskmanagers in size.taskmanagers]


def results(one: Measured, two: Measured) -> list[Result]:
    return [at_least("job, two one-slot TaskManagers against one, events/s", two.rate, one.rate, 1.6)]


def table(measured: list[Measured]) -> str:
    first, cores = measured[0], os.cpu_count() or 1
    rows = [
        (
            each.taskmanagers,
            f"{each.rate:,.0f}",
            f"{each.rate / first.rate:.2f}x",
            f"{each.busy:.2f}",
            f"{each.working:.2f}",
        )
        for each in measured
    ]
    columns = ("TaskManagers", "events/s", "against one", f"busy cores of {cores}", "of these the TaskManagers")
    limit = (
        f"The run with {first.taskmanagers} kept {first.busy:.2f} cores busy, all in all: at the same cost an event, "
        f"{cores} cores could give {cores / first.busy:.2f}x, and no more."
    )
    head = f"{RULES} rules on RocksDB; {machine('Kafka')}:"
    return "\n".join([head, "", *grid(columns, rows), "", limit])


def main() -> None:
    given = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        measured = run(QUICK if given.quick else Size(), Path(name))
    report("job.scale", given, table(measured), lambda: results(*measured))


if __name__ == "__main__":
    main()
