"""How long a comparison of two sets of 100 rules takes: `python -m benchmarks.compare [--events N] [--users N]
[--backtest N] [--quick | --write]`.

`kairos compare` on a file, and `kairos backtest` on a warehouse of `--backtest` events (0: left out), on a standalone
cluster of two TaskManagers, each as the command that people give, start-up included.
Beside them a run of `kairos simulate`, the least there is to do. B has other conditions in a third of its rules.
A tenth of the warehouse's events is played on the cluster as well: what a backtest keeps in memory must not grow.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, at_most, below
from benchmarks.simulate import TYPES, Measurement, measure, write_events
from kairos.apps.cluster import Cluster, load_settings
from kairos.apps.native.ports import free_ports

LIMIT_SECONDS = 60
CLUSTER = "`kairos backtest`, two TaskManagers of a cluster"
KINDS = (
    "trigger: {{pattern: [{{event: {0}, where: amount >= {1}}}, {{event: {0}, as: second}}], within: 10m}}",
    "trigger: {{pattern: [{{event: {0}, where: amount < 10}}, {{absent: {0}, as: again}}], within: 10m}}",
    "trigger: {{event: {0}, where: amount == 7}}",
)
POLICY = "timezone: UTC\ncaps: {marketing: {rules: [{max: 2, per: 1d}]}}\n"


def rules(folder: Path, least: int) -> Path:
    """An event of any of the 33 types touches three of the 99 activities; each sends, under one cap."""
    place = folder / "activities" / "bench"
    place.mkdir(parents=True)
    (folder / "policy.yaml").write_text(POLICY)
    triggers = [kind.format(name, least) for name in TYPES for kind in KINDS] + ["trigger: {event: nothing}"]
    for number, trigger in enumerate(triggers):
        text = f"activity: rule_{number}\nstate: live\n{trigger}\nlimits: {{caps: [marketing]}}\n"
        (place / f"rule_{number}.yaml").write_text(text + "send: [{channel: console}]\n")
    return folder


def kairos(*words: object) -> list[str]:
    return [str(Path(sys.executable).with_name("kairos")), *map(str, words)]


def run(given: int, users: int, more: int) -> Iterator[tuple[str, int, Measurement]]:
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        a, b = rules(work / "a", 290), rules(work / "b", 280)
        events = work / "events.jsonl"
        write_events(events, given, users)
        out = ("--out", work / "differences")
        yield "`kairos simulate`, A", given, measure(kairos("simulate", a, events, "--out", work / "decisions.jsonl"))
        yield "`kairos compare`", given, measure(kairos("compare", a, b, events, *out), ends=(1,))
        for count in (more // 10, more) if more else ():
            shutil.rmtree(work / "warehouse", ignore_errors=True)
            write_events(events, count, users)
            load = kairos("warehouse", "load", "--into", work / "warehouse", "--rules", a, "--events", events)
            subprocess.run(load, check=True, stdout=subprocess.DEVNULL)
            backtest = kairos(
                "backtest", a, b, "--warehouse", work / "warehouse", "--cluster", "--parallelism", 2, *out
            )
            yield CLUSTER, count, on_cluster(work / f"cluster-{count}", backtest)


def on_cluster(folder: Path, command: list[str]) -> Measurement:
    """Processor time of the command and both TaskManagers, memory of the largest of the three."""
    rest, rpc = free_ports(2)
    settings = {"folder": folder, "rest_port": rest, "rpc_port": rpc, "taskmanagers": 2}
    os.environ |= {f"KAIROS_CLUSTER_{name.upper()}": str(value) for name, value in settings.items()}
    cluster = Cluster(load_settings())
    cluster.up()
    try:
        own = measure(command, ends=(1,))
        workers = [row.pid for row in cluster.status() if row.name.startswith("taskmanager") and row.pid is not None]
        spent = sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in workers)
        return Measurement(own.wall, own.cpu + spent, max(own.memory, *map(peak, workers)))
    finally:
        cluster.down()


def peak(pid: int) -> int:
    """The most memory that the process has had, MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


def table(users: int, measured: list[tuple[str, int, Measurement]]) -> str:
    rows = [
        (name, f"{count:,}", f"{m.wall:.1f}", f"{m.cpu:.1f}", f"{count / m.wall:,.0f}", f"{m.memory} MB")
        for name, count, m in measured
    ]
    columns = ("100 rules a side", "events", "s", "processor s", "events/s", "memory of the largest process")
    return "\n".join([f"{users:,} users; {machine()}:", "", *grid(columns, rows)])


def results(measured: list[tuple[str, int, Measurement]]) -> Iterable[Result]:
    for name, count, one in measured:
        if name == "`kairos compare`":
            yield below(f"compare, {count:,} events, 100 rules a side, s", one.wall, LIMIT_SECONDS)
    memory = [one.memory for name, _, one in measured if name == CLUSTER]
    if memory:
        yield at_most(
            "backtest on a cluster, MB, 1.2 times what a tenth of the events took", memory[1], 1.2 * memory[0]
        )


def main() -> None:
    given = arguments(__doc__, events=(1_000_000, 20_000), users=(100_000, 2_000), backtest=(10_000_000, 0))
    measured = list(run(given.events, given.users, given.backtest))
    report("compare", given, table(given.users, measured), lambda: results(measured))


if __name__ == "__main__":
    main()
