"""The screens of the console over a large warehouse, and 50 people at once: `python -m benchmarks.console
[--activities N] [--users N] [--people N] [--seconds N] [--quick | --write]`.

Half of `--users` enter each of `--activities` once, in 180 days: 100 and 200,000 make 10 M decisions. The console is a
process of its own, over loopback. Of each screen is told how long it takes as the first thing that is asked of the
process, after the warehouse has got a new file, and from then on. `--people` then look at screens by chance, as locust
counts it: each for 5 to 15 s before the next; and once more without a pause, which says how many pages there can be.
"""

from __future__ import annotations

import csv
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, below
from benchmarks.measure import generate
from benchmarks.peers.environment import load_python
from kairos.apps.console.table import SCREENS
from kairos.apps.native.ports import free_ports

GOAL_MS, GOAL_AT_ONCE_MS = 500.0, 1_000.0
ROUNDS = 5
EVENTS = 25
"""Of each user."""
OF_ONE = {"an activity": "/activities/activity_7", "a person": "/people/u7"}
OF_ANY = ["/activities/activity_7", "/people/u{}"]
PAUSES = {"each page looked at for 5 to 15 s": "5,15", "without a pause": "0,0"}
BESIDE = {"funnel, effect and money of one activity": f"{OF_ONE['an activity']}?numbers=yes"}
"""What a page leaves out at first, and asks for itself."""
AT_ONCE = Path(__file__).parent / "peers" / "people_at_once.py"


def paths() -> dict[str, str]:
    return {each.name: each.path for each in SCREENS if each.menu} | OF_ONE


@contextmanager
def console(folder: Path) -> Iterator[httpx.Client]:
    (port,) = free_ports(1)
    conf = folder / "conf.yaml"
    conf.write_text(
        f"rules: {{store: {folder}/rules}}\napi: {{port: {port}, rules: {folder}/rules}}\n"
        f"warehouse: {{folder: {folder}/warehouse}}\n"
        f"delivery: {{store: 'sqlite:///{folder}/delivery.db', channels: {{push: {{provider: console}}}}}}\n"
    )
    with (folder / "console.log").open("ab") as log:
        command = [str(Path(sys.executable).with_name("kairos")), "console", "--conf", str(conf)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=3_600) as client:
            _until_ready(client, process, folder / "console.log")
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        try:
            client.get("/live").raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.1)
    sys.exit(f"the console has ended:\n{log.read_text()}")


def took(client: httpx.Client, path: str) -> float:
    """ms."""
    began = time.perf_counter()
    said = client.get(path)
    elapsed = (time.perf_counter() - began) * 1000
    if said.status_code != 200:
        sys.exit(f"{path}: {said.status_code}\n{said.text}")
    return elapsed


def grow(folder: Path) -> None:
    """As after a load: one file of the warehouse is another one."""
    os.utime(next((folder / "warehouse" / "decisions").rglob("*.parquet")))


class Times:
    """Of one screen, in ms: the first of a process, the first after a load, the median from then on."""

    def __init__(self, folder: Path, path: str) -> None:
        with console(folder) as client:
            self.first = took(client, path)
            grow(folder)
            self.grown = took(client, path)
            self.later = statistics.median(took(client, path) for _ in range(ROUNDS))

    @property
    def slowest(self) -> float:
        return max(self.first, self.grown, self.later)

    def told(self) -> tuple[str, ...]:
        return tuple(f"{each:,.0f}" for each in (self.first, self.grown, self.later))


class AtOnce:
    """What locust counted: pages, pages a second, median and 95 of 100 in ms. Ends the program where one failed."""

    def __init__(self, folder: Path, host: str, users: int, people: int, seconds: int, pause: str) -> None:
        chosen = [each.path for each in SCREENS if each.menu] + OF_ANY
        command: list[str | Path] = [load_python(), "-m", "locust", "-f", AT_ONCE, "--headless", "--only-summary"]
        command += ["--host", host, "-u", str(people), "-r", str(people), "-t", f"{seconds}s"]
        said = subprocess.run(
            [*command, "--csv", folder / "at_once"],
            env=os.environ | {"PATHS": ",".join(chosen), "NUMBERS": str(users), "PAUSE": pause},
            capture_output=True,
            check=False,
        )
        if said.returncode:
            sys.exit((said.stdout + said.stderr).decode())
        with (folder / "at_once_stats.csv").open() as file:
            row = next(each for each in csv.DictReader(file) if each["Name"] == "Aggregated")
        self.pages, self.rate = int(row["Request Count"]), float(row["Requests/s"])
        self.median, self.worst = float(row["50%"]), float(row["95%"])


def at_once(folder: Path, users: int, people: int, seconds: int) -> dict[str, AtOnce]:
    with console(folder) as client:
        for path in paths().values():
            took(client, path)
        host = str(client.base_url)
        return {name: AtOnce(folder, host, users, people, seconds, pause) for name, pause in PAUSES.items()}


def table(
    head: str, screens: dict[str, Times], beside: dict[str, Times], crowds: dict[str, AtOnce], people: int
) -> str:
    columns = ("ms", "first of the process", "first after a load", "from then on")
    rows = [(name, *times.told()) for name, times in screens.items()]
    rows += [(f"worked out beside the page: {name}", *times.told()) for name, times in beside.items()]
    several = (
        (name, f"{x.pages:,}", f"{x.rate:.1f}", f"{x.median:,.0f}", f"{x.worst:,.0f}") for name, x in crowds.items()
    )
    shown = grid((f"{people} people at once", "pages", "pages/s", "median ms", "95 of 100 ms"), several)
    return "\n".join([head, "", *grid(columns, rows), "", *shown])


def results(screens: dict[str, Times], crowds: dict[str, AtOnce]) -> Iterator[Result]:
    slowest, first = max(times.slowest for times in screens.values()), next(iter(crowds.values()))
    yield below("console, slowest screen of 100 activities and 10 M decisions, ms", slowest, GOAL_MS)
    yield below("console, 50 people at once, 95 of 100 pages, ms", first.worst, GOAL_AT_ONCE_MS)


def main() -> None:
    given = arguments(__doc__, activities=(100, 10), users=(200_000, 2_000), people=(50, 5), seconds=(60, 5))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = [f"activity_{number}" for number in range(given.activities)]
        generate(folder, EVENTS * given.users, given.users, names, held=True)
        screens = {name: Times(folder, path) for name, path in paths().items()}
        beside = {name: Times(folder, path) for name, path in BESIDE.items()}
        crowds = at_once(folder, given.users, given.people, given.seconds)
    head = f"{given.activities} activities, {given.activities * given.users / 2e6:,.3g} M decisions; {machine()}:"
    text = table(head, screens, beside, crowds, given.people)
    report("console", given, text, lambda: results(screens, crowds))


if __name__ == "__main__":
    main()
